package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// PamCredential is the part of the operator's custom resource that the baseline uses.
type PamCredential struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              PamCredentialSpec   `json:"spec,omitempty"`
	Status            PamCredentialStatus `json:"status,omitempty"`
}

type PamCredentialSpec struct {
	ConnectionRef    ConnectionRef `json:"connectionRef"`
	Username         string        `json:"username"`
	Hostname         string        `json:"hostname"`
	IP               string        `json:"ip"`
	ContentSecretRef *KeyRef       `json:"contentSecretRef,omitempty"`
	Additional       string        `json:"additional,omitempty"`
	DeletionPolicy   string        `json:"deletionPolicy,omitempty"`
}

type ConnectionRef struct {
	Kind string `json:"kind,omitempty"`
	Name string `json:"name"`
}

type KeyRef struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

type PamCredentialStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	ID                 string             `json:"id,omitempty"`
	Identifier         string             `json:"identifier,omitempty"`
	Applied            *Applied           `json:"applied,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

// Applied is what was sent last: the hash of the body, and a name of the PAM in the place of the operator's key.
type Applied struct {
	Generation int64           `json:"generation"`
	Time       metav1.Time     `json:"time"`
	Body       string          `json:"body"`
	Key        string          `json:"key"`
	Secrets    []SecretVersion `json:"secrets,omitempty"`
}

type SecretVersion struct {
	Name            string `json:"name"`
	Key             string `json:"key"`
	UID             string `json:"uid"`
	ResourceVersion string `json:"resourceVersion"`
}

type PamCredentialList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PamCredential `json:"items"`
}

func (in *PamCredential) DeepCopyObject() runtime.Object {
	return in.DeepCopy()
}

func (in *PamCredential) DeepCopy() *PamCredential {
	out := *in
	in.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	if in.Spec.ContentSecretRef != nil {
		reference := *in.Spec.ContentSecretRef
		out.Spec.ContentSecretRef = &reference
	}
	if in.Status.Applied != nil {
		applied := *in.Status.Applied
		applied.Secrets = append([]SecretVersion(nil), applied.Secrets...)
		out.Status.Applied = &applied
	}
	out.Status.Conditions = append([]metav1.Condition(nil), in.Status.Conditions...)
	return &out
}

func (in *PamCredentialList) DeepCopyObject() runtime.Object {
	out := *in
	out.Items = make([]PamCredential, len(in.Items))
	for i := range in.Items {
		out.Items[i] = *in.Items[i].DeepCopy()
	}
	return &out
}

func addToScheme(scheme *runtime.Scheme) error {
	version := schema.GroupVersion{Group: "pam-operator.dev", Version: "v1alpha1"}
	scheme.AddKnownTypes(version, &PamCredential{}, &PamCredentialList{})
	metav1.AddToGroupVersion(scheme, version)
	return nil
}
