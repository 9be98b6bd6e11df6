#!/usr/bin/env bash
# The overlays on a real control plane: admitted, scheduled one generator per GPU, drained within the disruption budget.
#   A2SF_KUBE_TOOLS=FOLDER test/k8s/cluster.sh
# FOLDER holds start.sh (starts etcd, apiserver, scheduler, controllers; `start.sh stop DIR`) and fake-gpu-node.sh. Pods never run.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=${A2SF_KUBE_TOOLS:-}
skip() { echo "skipped: $1"; exit 0; }
[ -x "$tools/start.sh" ] || [ -f "$tools/start.sh" ] || skip 'no start.sh in the folder A2SF_KUBE_TOOLS'
for command in kubectl etcd xz openssl; do command -v "$command" >/dev/null || skip "no $command"; done

dir=$(mktemp -d)
trap 'bash "$tools/start.sh" stop "$dir" || true; sleep 1; rm -rf "$dir"' EXIT
bash "$tools/start.sh" "$dir" "${A2SF_KUBE_PORT:-21400}" >/dev/null
k() { KUBECONFIG="$dir/kubeconfig" kubectl "$@"; }
ok() { echo "ok: $1"; }
fail() { echo "FAILED: $1"; k -n a2sf get pods -o custom-columns='POD:.metadata.name,NODE:.spec.nodeName,WHY:.status.conditions[0].message' || true; exit 1; }

# until SECONDS COMMAND...: waits until the command succeeds.
until_ok() {
  local end=$((SECONDS + $1)); shift
  until "$@"; do [ "$SECONDS" -lt "$end" ] || return 1; sleep 0.5; done
}
count() { k -n a2sf get pods -l "app.kubernetes.io/name=$1" -o jsonpath='{range .items[*]}{.spec.nodeName}{"\n"}{end}'; }
placed() { [ "$(count "$1" | grep -c .)" = "$2" ]; }
# What a kubelet would report: every scheduled pod runs and is ready.
run_pods() {
  local pod
  for pod in $(k -n a2sf get pods -o jsonpath='{range .items[?(@.spec.nodeName)]}{.metadata.name}{"\n"}{end}'); do
    k -n a2sf patch pod "$pod" --subresource=status --type=merge >/dev/null -p \
      '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"},{"type":"ContainersReady","status":"True"}]}}'
  done
}

k apply --server-side -f test/k8s/crds >/dev/null 2>&1 || k apply --server-side -f test/k8s/crds
until_ok 30 k wait --for=condition=Established crd --all --timeout=10s >/dev/null
for overlay in cpu-demo gpu-single gpu-pool; do
  k create namespace a2sf --dry-run=client -o yaml | k apply --server-side -f - >/dev/null
  rendered=$(k kustomize "k8s/overlays/$overlay")
  warnings=$(k apply --server-side --dry-run=server -f - <<<"$rendered" 2>&1 >/dev/null) || fail "$overlay is refused: $warnings"
  [ -z "$(grep -v 'version difference' <<<"$warnings")" ] || fail "$overlay: $warnings"
  ok "$overlay: every object is admitted, without a warning"
done

# node NAME GPUS: a node object with room for the pods' scratch, which the tool's nodes lack.
node() {
  bash "$tools/fake-gpu-node.sh" "$dir/kubeconfig" "$1" "$2"
  k patch node "$1" --subresource=status --type=merge >/dev/null -p \
    '{"status":{"capacity":{"ephemeral-storage":"500Gi"},"allocatable":{"ephemeral-storage":"500Gi"}}}'
}
for i in 1 2; do node "gpu-$i" 1; node "cpu-$i" 0; done
# Nodes without a GPU have no product.
for i in 1 2; do k label node "cpu-$i" nvidia.com/gpu.product- >/dev/null; done
# No volumes are provisioned here: the claims get volumes, and the controllers that would bind them are played by this script.
k kustomize k8s/overlays/gpu-pool | k apply --server-side -f - >/dev/null
for claim in models runs state-policy-learner-0; do
  until_ok 30 k -n a2sf get pvc "$claim" >/dev/null 2>&1 || fail "claim $claim is not made"
  modes=$(k -n a2sf get pvc "$claim" -o jsonpath='{.spec.accessModes}')
  uid=$(k -n a2sf get pvc "$claim" -o jsonpath='{.metadata.uid}')
  k apply --server-side -f - >/dev/null <<Y
{"apiVersion":"v1","kind":"PersistentVolume","metadata":{"name":"$claim"},"spec":{"capacity":{"storage":"100Gi"},"accessModes":$modes,
 "nfs":{"server":"192.0.2.1","path":"/"},"claimRef":{"namespace":"a2sf","name":"$claim","uid":"$uid"}}}
Y
  k -n a2sf patch pvc "$claim" --type=merge -p "{\"spec\":{\"volumeName\":\"$claim\"},\"metadata\":{\"annotations\":{\"pv.kubernetes.io/bind-completed\":\"yes\"}}}" >/dev/null
  k -n a2sf patch pvc "$claim" --subresource=status --type=merge -p '{"status":{"phase":"Bound"}}' >/dev/null
  k patch pv "$claim" --subresource=status --type=merge -p '{"status":{"phase":"Bound"}}' >/dev/null
done

until_ok 25 placed generator 2 || fail 'two of the four generators are placed'
sleep 3
placed generator 2 || fail 'no more generators than GPUs'
[ "$(count generator | sort | grep . | tr '\n' ' ')" = 'gpu-1 gpu-2 ' ] || fail 'one generator on each GPU node'
ok 'four generators, two GPUs: one on each GPU node, two pending'
# No autoscaler runs here.
for name in encoder reward policy; do k -n a2sf scale deployment "$name" --replicas=2 >/dev/null; done
for name in encoder reward policy; do until_ok 60 placed "$name" 2 || fail "$name is placed"; done
until_ok 60 placed policy-learner 1 || fail 'the learner is placed'
until_ok 60 placed trainer 1 || fail 'the trainer is placed'
for name in encoder reward policy policy-learner trainer; do
  ! count "$name" | grep -q gpu- || fail "$name does not take a GPU node"
done
ok 'everything else is placed, and not on GPU nodes'
[ "$(count encoder | sort -u | grep -c .)" = 2 ] || fail 'encoders are spread over nodes'
ok 'replicas are spread over nodes'

node gpu-3 1
node gpu-4 1
until_ok 60 placed generator 4 || fail 'new GPU nodes take the pending generators'
ok 'two more GPU nodes: the pending generators are placed'

run_pods
allowed() { [ "$(k -n a2sf get pdb generator -o jsonpath='{.status.disruptionsAllowed}')" = "$1" ]; }
until_ok 60 allowed 1 || fail 'the budget of the generators allows one disruption'
evict() {
  k create --raw "/api/v1/namespaces/a2sf/pods/$1/eviction" -f - <<<"{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"$1\",\"namespace\":\"a2sf\"}}" 2>&1
}
on_node() { k -n a2sf get pods -l app.kubernetes.io/name=generator --field-selector "spec.nodeName=$1" -o jsonpath='{.items[*].metadata.name}'; }
k drain gpu-1 --ignore-daemonsets --delete-emptydir-data --force --timeout=5s >/dev/null 2>&1 || true # no kubelet ends the pod
k get node gpu-1 -o jsonpath='{.spec.unschedulable}' | grep -q true || fail 'the drained node is cordoned'
first=$(on_node gpu-1)
[ -z "$first" ] || k -n a2sf get pod "$first" -o jsonpath='{.metadata.deletionTimestamp}' | grep -q . || fail 'a drain evicts the generator of the node'
until_ok 60 allowed 0 || fail 'then no further disruption is allowed'
refusal=$(evict "$(on_node gpu-2)") && fail 'a second generator is not evicted' || true
grep -q 'disruption budget' <<<"$refusal" || fail "the refusal names the budget: $refusal"
ok 'a drain takes one generator; a second eviction is refused by the disruption budget'

# The commands of docs/operations.md. An upgrade: nothing is refused once the Job is gone, and one workload can go back.
upgrade=$(mktemp -d -p k8s/overlays)
trap 'rm -rf "$upgrade"; bash "$tools/start.sh" stop "$dir" || true; sleep 1; rm -rf "$dir"' EXIT
cat >"$upgrade/kustomization.yaml" <<'Y'
resources: [../gpu-pool]
images: [{ name: a2sf/trainer, newTag: next }, { name: a2sf/reward, newTag: next }]
Y
k -n a2sf delete job trainer --wait=false >/dev/null
until_ok 60 bash -c "! KUBECONFIG=$dir/kubeconfig kubectl -n a2sf get job trainer >/dev/null 2>&1" || fail 'the trainer is deleted'
code=0; k diff -k "$upgrade" >"$dir/diff" 2>&1 || code=$?
[ "$code" = 1 ] && grep -q '^+.*a2sf/reward:next' "$dir/diff" || fail "an upgrade is shown beforehand: $(tail -n 3 "$dir/diff")"
k apply -k "$upgrade" >/dev/null 2>"$dir/apply" || fail "an upgrade is taken: $(tail -n 3 "$dir/apply")"
image() { k -n a2sf get "$1" -o jsonpath='{.spec.template.spec.containers[0].image}'; }
[ "$(image job/trainer)" = a2sf/trainer:next ] || fail 'the trainer is the new one'
k -n a2sf rollout undo deployment/reward >/dev/null
[ "$(image deployment/reward)" != a2sf/reward:next ] || fail 'the reward service is the old one again'
ok 'an upgrade is shown, taken and undone'
for name in old new; do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$dir/tls.key" -out "$dir/tls.crt" 2>/dev/null
  cp "$dir/tls.crt" "$dir/ca.crt"
  (cd "$dir" && k -n a2sf create secret generic encoder-tls --from-file=tls.crt --from-file=tls.key --from-file=ca.crt --dry-run=client -o yaml | k apply -f - >/dev/null)
  k -n a2sf get secret encoder-tls -o jsonpath='{.data.tls\.crt}' | base64 -d | cmp -s - "$dir/tls.crt" || fail "the $name certificate is in place"
done
ok 'certificates are put in place, and replaced'
echo 'all passed'
