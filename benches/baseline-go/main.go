// The baseline of cargo bench-scale: a minimal idiomatic controller-runtime controller of the operator's main job, a
// PamCredential and its Secret to one POST. It keeps none of the operator's other promises (claims, adoption, drift,
// limits); it is here so that its cost can be compared.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// A profile is how a controller is set up: as the documents of controller-runtime have it, or for speed.
type profile struct {
	workers int
	// skips what its status says was sent, and reads a Secret only when it was not: watched are their metadata alone.
	thrifty bool
}

var profiles = map[string]profile{
	"default": {workers: 1},
	"tuned":   {workers: 64, thrifty: true},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run() error {
	name := flag.String("profile", "default", "default (1 worker, Secrets cached) or tuned (64, hash in status, Secret metadata)")
	listen := flag.String("listen", "127.0.0.1:8080", "address of /readyz and /metrics")
	url := flag.String("pam-url", "", "address of the PAM")
	namespace := flag.String("namespace", "baseline", "namespace of the lease")
	flag.Parse()
	chosen, known := profiles[*name]
	if !known {
		return fmt.Errorf("no profile %s", *name)
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	ctrl.SetLogger(logr.Discard())
	scheme := runtime.NewScheme()
	if err := errors.Join(corev1.AddToScheme(scheme), addToScheme(scheme)); err != nil {
		return err
	}
	ready := &readiness{}
	options := ctrl.Options{
		Scheme: scheme,
		Metrics: metricsserver.Options{
			BindAddress:   *listen,
			ExtraHandlers: map[string]http.Handler{"/readyz": ready},
		},
		LeaderElection:                true,
		LeaderElectionID:              "baseline",
		LeaderElectionNamespace:       *namespace,
		LeaderElectionReleaseOnCancel: true,
	}
	if chosen.thrifty {
		options.Cache = cache.Options{DefaultTransform: cache.TransformStripManagedFields()}
	}
	manager, err := ctrl.NewManager(config, options)
	if err != nil {
		return err
	}
	ready.cache = manager.GetCache()
	pam := newPam(*url, chosen.workers)
	controller := &reconciler{client: manager.GetClient(), reader: manager.GetAPIReader(), pam: pam, profile: chosen}
	if err := controller.setUp(manager); err != nil {
		return err
	}
	return manager.Start(ctrl.SetupSignalHandler())
}

// readiness answers whether the caches are filled.
type readiness struct {
	cache cache.Cache
}

func (r *readiness) ServeHTTP(answer http.ResponseWriter, request *http.Request) {
	ctx, cancel := context.WithTimeout(request.Context(), time.Second)
	defer cancel()
	if !r.cache.WaitForCacheSync(ctx) {
		answer.WriteHeader(http.StatusServiceUnavailable)
	}
}
