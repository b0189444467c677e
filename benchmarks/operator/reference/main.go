// The reference of the operator benchmark: the same logic, as an experienced hand would write it with controller-runtime.
//
// Adapters are judged (tenant, base model), handed to the agent of each engine pod as one complete set, and called Ready
// once every agent reports them. Nothing is written that is there already.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"sort"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

const manager = "reference"

func gvk(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "quiver.dev", Version: "v1alpha1", Kind: kind}
}

func object(kind string) *unstructured.Unstructured {
	found := &unstructured.Unstructured{}
	found.SetGroupVersionKind(gvk(kind))
	return found
}

func list(kind string) *unstructured.UnstructuredList {
	found := &unstructured.UnstructuredList{}
	found.SetGroupVersionKind(gvk(kind + "List"))
	return found
}

type wanted struct {
	Tenant   string `json:"tenant"`
	Adapter  string `json:"adapter"`
	Source   string `json:"source"`
	Revision string `json:"revision"`
	Required bool   `json:"required"`
}

type held struct {
	Tenant     string `json:"tenant"`
	Adapter    string `json:"adapter"`
	Revision   string `json:"revision"`
	State      string `json:"state"`
	Digest     string `json:"digest"`
	EngineName string `json:"engineName"`
}

type report struct {
	Version  int    `json:"version"`
	Adapters []held `json:"adapters"`
}

type place struct{ tenant, adapter string }

// operator keeps what the agent says, and whether the agent has to be told something new.
type operator struct {
	client.Client
	agent  string
	dirty  chan struct{}
	events chan event.TypedGenericEvent[types.NamespacedName]

	mutex sync.Mutex
	held  map[place]held
}

func revision(adapter *unstructured.Unstructured) string {
	source, _, _ := unstructured.NestedString(adapter.Object, "spec", "source")
	base, _, _ := unstructured.NestedString(adapter.Object, "spec", "baseModel")
	sum := sha256.Sum256([]byte(source + "\x00" + base))
	return "source:" + hex.EncodeToString(sum[:])[:16]
}

// owners maps a namespace to its tenant: of two claims the first by name holds.
func (o *operator) owners(ctx context.Context) (map[string]string, error) {
	tenants := list("Tenant")
	if err := o.List(ctx, tenants); err != nil {
		return nil, err
	}
	sort.Slice(tenants.Items, func(i, j int) bool { return tenants.Items[i].GetName() < tenants.Items[j].GetName() })
	found := map[string]string{}
	for _, tenant := range tenants.Items {
		namespace, _, _ := unstructured.NestedString(tenant.Object, "spec", "namespace")
		if _, taken := found[namespace]; !taken {
			found[namespace] = tenant.GetName()
		}
	}
	return found, nil
}

func (o *operator) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	defer o.push()
	adapter := object("Adapter")
	if err := o.Get(ctx, request.NamespacedName, adapter); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	status, err := o.status(ctx, adapter)
	if err != nil {
		return reconcile.Result{}, err
	}
	existing, _, _ := unstructured.NestedMap(adapter.Object, "status")
	if reflect.DeepEqual(existing, status) {
		return reconcile.Result{}, nil
	}
	patch := object("Adapter")
	patch.SetName(adapter.GetName())
	patch.SetNamespace(adapter.GetNamespace())
	patch.Object["status"] = status
	return reconcile.Result{}, o.Status().Patch(ctx, patch, client.Apply, client.FieldOwner(manager), client.ForceOwnership)
}

func (o *operator) status(ctx context.Context, adapter *unstructured.Unstructured) (map[string]any, error) {
	owners, err := o.owners(ctx)
	if err != nil {
		return nil, err
	}
	tenant, base := owners[adapter.GetNamespace()], object("BaseModel")
	name, _, _ := unstructured.NestedString(adapter.Object, "spec", "baseModel")
	accepted, ready := condition("Accepted", true, "Valid"), condition("Ready", false, "Waiting")
	if tenant == "" {
		accepted = condition("Accepted", false, "NamespaceHasNoTenant")
	} else if err := o.Get(ctx, types.NamespacedName{Name: name}, base); err != nil {
		accepted = condition("Accepted", false, "BaseModelDoesNotExist")
	}
	status := map[string]any{}
	o.mutex.Lock()
	found, known := o.held[place{tenant, adapter.GetName()}]
	o.mutex.Unlock()
	if known && found.State == "Ready" && found.Revision == revision(adapter) {
		ready = condition("Ready", true, "Answering")
		source, _, _ := unstructured.NestedString(adapter.Object, "spec", "source")
		status["active"] = map[string]any{"digest": found.Digest, "engineName": found.EngineName, "baseModel": name,
			"source": source, "generation": int64(1)}
	}
	status["conditions"] = merged(adapter, accepted, ready)
	return status, nil
}

func condition(kind string, holds bool, reason string) map[string]any {
	words := map[bool]string{true: "True", false: "False"}
	return map[string]any{"type": kind, "status": words[holds], "reason": reason}
}

func merged(adapter *unstructured.Unstructured, fresh ...map[string]any) []any {
	old, _, _ := unstructured.NestedSlice(adapter.Object, "status", "conditions")
	found := []any{}
	for _, item := range fresh {
		item["observedGeneration"] = adapter.GetGeneration()
		item["lastTransitionTime"] = time.Now().UTC().Format(time.RFC3339)
		for _, before := range old {
			before := before.(map[string]any)
			if before["type"] == item["type"] && before["status"] == item["status"] {
				item["lastTransitionTime"] = before["lastTransitionTime"]
			}
		}
		found = append(found, item)
	}
	return found
}

func (o *operator) push() {
	select {
	case o.dirty <- struct{}{}:
	default:
	}
}

// tell sends the complete set whenever something may have changed, the newest only.
func (o *operator) tell(ctx context.Context) error {
	var last []byte
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.dirty:
		}
		body, err := o.desired(ctx)
		if err != nil || bytes.Equal(body, last) {
			continue
		}
		request, _ := http.NewRequestWithContext(ctx, http.MethodPut, o.agent+"/v1/desired", bytes.NewReader(body))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			time.Sleep(300 * time.Millisecond)
			o.push()
			continue
		}
		response.Body.Close()
		last = body
	}
}

func (o *operator) desired(ctx context.Context) ([]byte, error) {
	owners, err := o.owners(ctx)
	if err != nil {
		return nil, err
	}
	adapters := list("Adapter")
	if err := o.List(ctx, adapters); err != nil {
		return nil, err
	}
	found := []wanted{}
	for i := range adapters.Items {
		adapter := &adapters.Items[i]
		source, _, _ := unstructured.NestedString(adapter.Object, "spec", "source")
		if tenant := owners[adapter.GetNamespace()]; tenant != "" {
			found = append(found, wanted{tenant, adapter.GetName(), source, revision(adapter), false})
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].Tenant+found[i].Adapter < found[j].Tenant+found[j].Adapter })
	return json.Marshal(map[string]any{"adapters": found})
}

// hear follows what the agent says, and has every adapter looked at of which it says something else.
func (o *operator) hear(ctx context.Context) error {
	seen := -1
	for ctx.Err() == nil {
		var found report
		if !o.ask(ctx, fmt.Sprintf("%s/v1/status?seen=%d&wait=5", o.agent, seen), &found) {
			time.Sleep(300 * time.Millisecond)
			continue
		}
		seen = found.Version
		o.take(ctx, found)
	}
	return nil
}

func (o *operator) ask(ctx context.Context, url string, into any) bool {
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK && json.NewDecoder(response.Body).Decode(into) == nil
}

func (o *operator) take(ctx context.Context, found report) {
	owners, err := o.owners(ctx)
	if err != nil {
		return
	}
	namespaces := map[string]string{}
	for namespace, tenant := range owners {
		namespaces[tenant] = namespace
	}
	fresh := map[place]held{}
	changed := []place{}
	o.mutex.Lock()
	for _, item := range found.Adapters {
		key := place{item.Tenant, item.Adapter}
		fresh[key] = item
		if o.held[key] != item {
			changed = append(changed, key)
		}
	}
	for key := range o.held {
		if _, there := fresh[key]; !there {
			changed = append(changed, key)
		}
	}
	o.held = fresh
	o.mutex.Unlock()
	for _, key := range changed {
		name := types.NamespacedName{Namespace: namespaces[key.tenant], Name: key.adapter}
		o.events <- event.TypedGenericEvent[types.NamespacedName]{Object: name}
	}
}

func main() {
	ctrl.SetLogger(zap.New())
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	utilruntime.Must(err)
	config.QPS, config.Burst = -1, -1 // as fast as the server lets it
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	strip := cache.TransformStripManagedFields()
	mgr, err := ctrl.NewManager(config, ctrl.Options{
		Scheme: scheme, LeaderElection: true, LeaderElectionID: "reference", LeaderElectionNamespace: "quiver",
		LeaderElectionReleaseOnCancel: true, Metrics: server.Options{BindAddress: "0"},
		Cache:  cache.Options{DefaultTransform: strip},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	utilruntime.Must(err)
	o := &operator{Client: mgr.GetClient(), agent: os.Getenv("AGENT"), dirty: make(chan struct{}, 1),
		events: make(chan event.TypedGenericEvent[types.NamespacedName], 16384), held: map[place]held{}}
	all := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, _ client.Object) []reconcile.Request {
		adapters := list("Adapter")
		if err := o.List(ctx, adapters); err != nil {
			log.FromContext(ctx).Error(err, "list")
		}
		found := []reconcile.Request{}
		for _, item := range adapters.Items {
			found = append(found, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&item)})
		}
		return found
	})
	named := handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			q.Add(reconcile.Request{NamespacedName: e.Object})
		},
	}
	utilruntime.Must(ctrl.NewControllerManagedBy(mgr).For(object("Adapter")).
		Watches(object("Tenant"), all).Watches(object("BaseModel"), all).Watches(&corev1.Pod{}, all).
		WatchesRawSource(source.TypedChannel(o.events, named)).
		WithOptions(controller.Options{MaxConcurrentReconciles: 16}).Complete(o))
	utilruntime.Must(mgr.Add(runnable(o.tell)))
	utilruntime.Must(mgr.Add(runnable(o.hear)))
	utilruntime.Must(mgr.Start(ctrl.SetupSignalHandler()))
}


type runnable func(context.Context) error

func (r runnable) Start(ctx context.Context) error { return r(ctx) }

func (r runnable) NeedLeaderElection() bool { return true }
