package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const (
	finalizer  = "pam-operator.dev/baseline"
	bySecret   = "spec.contentSecretRef.name"
	deactivate = "Deactivate"
)

type reconciler struct {
	client client.Client
	// reads without a cache
	reader  client.Reader
	pam     *pam
	profile profile
}

func (r *reconciler) setUp(manager ctrl.Manager) error {
	secretOf := func(object client.Object) []string {
		if reference := object.(*PamCredential).Spec.ContentSecretRef; reference != nil {
			return []string{reference.Name}
		}
		return nil
	}
	if err := manager.GetFieldIndexer().IndexField(context.Background(), &PamCredential{}, bySecret, secretOf); err != nil {
		return err
	}
	changed := builder.WithPredicates(predicate.GenerationChangedPredicate{})
	referrers := handler.EnqueueRequestsFromMapFunc(r.referrers)
	build := ctrl.NewControllerManagedBy(manager).
		For(&PamCredential{}, changed).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.profile.workers})
	if r.profile.thrifty {
		build = build.WatchesMetadata(&corev1.Secret{}, referrers)
	} else {
		build = build.Watches(&corev1.Secret{}, referrers)
	}
	return build.Complete(r)
}

func (r *reconciler) referrers(ctx context.Context, secret client.Object) []ctrl.Request {
	var credentials PamCredentialList
	err := r.client.List(ctx, &credentials, client.InNamespace(secret.GetNamespace()), client.MatchingFields{bySecret: secret.GetName()})
	if err != nil {
		return nil
	}
	requests := make([]ctrl.Request, 0, len(credentials.Items))
	for i := range credentials.Items {
		requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&credentials.Items[i])})
	}
	return requests
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	var credential PamCredential
	if err := r.client.Get(ctx, request.NamespacedName, &credential); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !credential.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.release(ctx, &credential)
	}
	if r.profile.thrifty {
		current, err := r.isCurrent(ctx, &credential)
		if current || err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.apply(ctx, &credential)
}

// isCurrent tells from status and the Secret's metadata whether nothing is to be sent.
func (r *reconciler) isCurrent(ctx context.Context, credential *PamCredential) (bool, error) {
	applied := credential.Status.Applied
	if applied == nil || applied.Generation != credential.Generation || applied.Key != r.pamKey() {
		return false, nil
	}
	reference := credential.Spec.ContentSecretRef
	if reference == nil {
		return true, nil
	}
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	if err := r.client.Get(ctx, types.NamespacedName{Namespace: credential.Namespace, Name: reference.Name}, secret); err != nil {
		return false, err
	}
	return len(applied.Secrets) == 1 && applied.Secrets[0].ResourceVersion == secret.ResourceVersion, nil
}

func (r *reconciler) apply(ctx context.Context, credential *PamCredential) error {
	if credential.Spec.DeletionPolicy == deactivate && !controllerutil.ContainsFinalizer(credential, finalizer) {
		before := credential.DeepCopy()
		controllerutil.AddFinalizer(credential, finalizer)
		if err := r.client.Patch(ctx, credential, client.MergeFrom(before)); err != nil {
			return err
		}
	}
	wanted, versions, err := r.wanted(ctx, credential)
	if err != nil {
		return err
	}
	hash := hashOf(wanted)
	if r.profile.thrifty && r.wasSent(credential, hash) {
		return r.write(ctx, credential, hash, versions, credential.Status.ID)
	}
	if credential.Status.ID == "" {
		if err := r.announce(ctx, credential, wanted.Identifier); err != nil {
			return err
		}
	}
	id, err := r.pam.post(ctx, wanted)
	if err != nil {
		return err
	}
	return r.write(ctx, credential, hash, versions, id)
}

func (r *reconciler) wasSent(credential *PamCredential, hash string) bool {
	applied := credential.Status.Applied
	return applied != nil && applied.Body == hash && applied.Key == r.pamKey()
}

// wanted is the body of the credential, and the versions of the Secrets in it.
func (r *reconciler) wanted(ctx context.Context, credential *PamCredential) (body, []SecretVersion, error) {
	spec := credential.Spec
	wanted := body{
		Identifier: credential.Namespace + "_" + credential.Name,
		Username:   spec.Username,
		Hostname:   spec.Hostname,
		IP:         spec.IP,
		Additional: spec.Additional,
	}
	if spec.ContentSecretRef == nil {
		return wanted, nil, nil
	}
	reader := client.Reader(r.client)
	if r.profile.thrifty {
		reader = r.reader
	}
	var secret corev1.Secret
	key := types.NamespacedName{Namespace: credential.Namespace, Name: spec.ContentSecretRef.Name}
	if err := reader.Get(ctx, key, &secret); err != nil {
		return wanted, nil, err
	}
	content, found := secret.Data[spec.ContentSecretRef.Key]
	if !found {
		return wanted, nil, fmt.Errorf("the Secret %s has no key %s", key, spec.ContentSecretRef.Key)
	}
	wanted.Content = string(content)
	version := SecretVersion{
		Name:            secret.Name,
		Key:             spec.ContentSecretRef.Key,
		UID:             string(secret.UID),
		ResourceVersion: secret.ResourceVersion,
	}
	return wanted, []SecretVersion{version}, nil
}

// announce is the first write of a create.
func (r *reconciler) announce(ctx context.Context, credential *PamCredential, identifier string) error {
	before := credential.DeepCopy()
	credential.Status.Identifier = identifier
	setReady(credential, metav1.ConditionFalse, "Progressing", "the credential is being created")
	return r.client.Status().Patch(ctx, credential, client.MergeFrom(before))
}

// write is the result.
func (r *reconciler) write(ctx context.Context, credential *PamCredential, hash string, versions []SecretVersion, id string) error {
	before := credential.DeepCopy()
	credential.Status.ObservedGeneration = credential.Generation
	credential.Status.ID = id
	credential.Status.Identifier = credential.Namespace + "_" + credential.Name
	credential.Status.Applied = &Applied{
		Generation: credential.Generation,
		Time:       metav1.Now(),
		Body:       hash,
		Key:        r.pamKey(),
		Secrets:    versions,
	}
	setReady(credential, metav1.ConditionTrue, "Synced", "the PAM accepted the credential")
	return r.client.Status().Patch(ctx, credential, client.MergeFrom(before))
}

// release deactivates what is deleted and lets it go.
func (r *reconciler) release(ctx context.Context, credential *PamCredential) error {
	if !controllerutil.ContainsFinalizer(credential, finalizer) {
		return nil
	}
	if credential.Status.ID != "" {
		if err := r.pam.deactivate(ctx, credential.Status.ID); err != nil {
			return err
		}
	}
	before := credential.DeepCopy()
	controllerutil.RemoveFinalizer(credential, finalizer)
	return client.IgnoreNotFound(r.client.Patch(ctx, credential, client.MergeFrom(before)))
}

// pamKey names the PAM that a status speaks of.
func (r *reconciler) pamKey() string {
	sum := sha256.Sum256([]byte(r.pam.base))
	return hex.EncodeToString(sum[:8])
}

func hashOf(wanted body) string {
	text, _ := json.Marshal(wanted)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

func setReady(credential *PamCredential, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(&credential.Status.Conditions, metav1.Condition{
		Type:               "Ready",
		Status:             status,
		Reason:             reason,
		Message:            message,
		ObservedGeneration: credential.Generation,
	})
}
