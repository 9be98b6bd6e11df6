"""Applies an action of the policy inside Hugging Face transformers: prefill once, keep what the window says, decode.

Needs torch and transformers beside grpcio, and the stubs (see README.md). The attention matrices are kept whole here, n x n for
every layer: fine for a few thousand tokens, and the reason why the suite's generator reads prompts in chunks.
"""

import argparse
import sys

import grpc
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from a2sf.policy.v1 import policy_pb2, policy_pb2_grpc


def ask_policy(address: str, text: str) -> tuple[float, int] | None:
    """(a, b) for a prompt; None when the policy advises the full cache. The policy needs --encoder to read text."""
    with grpc.insecure_channel(address) as channel:
        policy = policy_pb2_grpc.PolicyServiceStub(channel)
        choice = policy.SelectAction(policy_pb2.SelectActionRequest(text=text), timeout=30)
    return None if choice.use_full_cache else (choice.action.a, choice.action.b)


def sigmoid_window(n: int, a: float, b: int) -> torch.Tensor:
    """w(q) = sigmoid(a (q - (n - b - 0.5))): the weight of the queries."""
    positions = torch.arange(n, dtype=torch.float64)
    return torch.sigmoid(a * (positions - (n - b - 0.5))).float()


def kept_positions(attention: torch.Tensor, window: torch.Tensor, kv_heads: int, budget: int) -> torch.Tensor:
    """[kv_heads, budget]: the last budget / 8 positions and those of the rest with the most windowed attention."""
    heads, n = attention.shape[0], attention.shape[-1]
    scores = torch.einsum("q,grqk->gk", window, attention.view(kv_heads, heads // kv_heads, n, n))
    recent = int(budget * 0.125)
    best = scores[:, : n - recent].topk(budget - recent, dim=-1).indices
    last = torch.arange(n - recent, n).expand(kv_heads, -1)
    return torch.cat([best, last], dim=-1).sort(dim=-1).values


@torch.no_grad()
def generate(model, ids: torch.Tensor, action: tuple[float, int] | None, budget: int, max_new_tokens: int) -> list[int]:
    """Greedy decoding from the compressed cache; new tokens take the positions n, n + 1, ... whatever was kept."""
    n = ids.shape[1]
    filled = model(ids, use_cache=True, output_attentions=True)
    cache = filled.past_key_values
    if action is not None and n > budget:
        window = sigmoid_window(n, *action)
        compressed = DynamicCache()
        for layer, attention in enumerate(filled.attentions):
            key, value = cache.layers[layer].keys, cache.layers[layer].values  # [1, kv_heads, n, head_dim]
            kept = kept_positions(attention[0], window, key.shape[1], budget)
            index = kept[None, :, :, None].expand(-1, -1, -1, key.shape[-1])
            compressed.update(key.gather(2, index), value.gather(2, index), layer)
        cache = compressed
    tokens = [int(filled.logits[0, -1].argmax())]
    end = model.generation_config.eos_token_id
    ends = set(end if isinstance(end, list) else [end])
    while len(tokens) < max_new_tokens and tokens[-1] not in ends:
        position = torch.tensor([[n + len(tokens) - 1]])
        step = model(torch.tensor([[tokens[-1]]]), past_key_values=cache, position_ids=position, use_cache=True)
        tokens.append(int(step.logits[0, -1].argmax()))
    return tokens


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="folder or hub id of a causal language model")
    parser.add_argument("--prompt_file", required=True)
    parser.add_argument("--policy", default="127.0.0.1:50054")
    parser.add_argument("--action", nargs=2, metavar=("A", "B"), help="use this action and ask no policy")
    parser.add_argument("--budget", type=int, default=128, help="keys kept per layer and KV head")
    parser.add_argument("--max_new_tokens", type=int, default=16)
    args = parser.parse_args()
    with open(args.prompt_file, encoding="utf-8") as file:
        text = file.read()

    action = (float(args.action[0]), int(args.action[1])) if args.action else ask_policy(args.policy, text)
    print("action: full cache" if action is None else f"action: a={action[0]:g} b={action[1]}")
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32, attn_implementation="eager")
    ids = tokenizer(text, return_tensors="pt").input_ids
    for name, chosen in [("full cache", None), ("compressed cache", action)]:
        tokens = generate(model, ids, chosen, args.budget, args.max_new_tokens)
        print(f"{name}: {tokenizer.decode(tokens, skip_special_tokens=True)!r} {tokens}")


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        sys.exit(f"{error.code().name}: {error.details()}")
