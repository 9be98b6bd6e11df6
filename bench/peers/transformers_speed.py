"""How fast are prefill and decoding of a causal language model in transformers, on the CPU?

    python transformers_speed.py --model DIR [--dtype float32] [--threads 2] [--tokens 1024,4096] [--new_tokens 33] [--runs 5]

Prints one JSON line for bench/generator.mjs --peers: tokens per second, medians of the runs. The prompts are those of
that benchmark: token i is 3 + (i * 7919) mod (vocab - 3). A prefill computes the logits of its last position only and
gives the first new token; decoding is the greedy choice of the others, one at a time, from the full cache.
"""

import argparse
import json
import statistics
import time

import torch
import transformers
from transformers import AutoModelForCausalLM, DynamicCache

parser = argparse.ArgumentParser(description="speed of transformers, as one JSON line")
parser.add_argument("--model", required=True)
parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--tokens", default="1024,4096")
parser.add_argument("--new_tokens", type=int, default=33)
parser.add_argument("--runs", type=int, default=5)
options = parser.parse_args()

torch.set_num_threads(options.threads)
model = AutoModelForCausalLM.from_pretrained(options.model, dtype=getattr(torch, options.dtype)).eval()
vocab = model.config.vocab_size


def prompt(length):
    """Token ids, [1, length]."""
    return torch.tensor([[3 + (i * 7919) % (vocab - 3) for i in range(length)]])


@torch.inference_mode()
def measure(ids):
    """Seconds of one prefill, and of one decoded token after it."""
    cache = DynamicCache(config=model.config)
    start = time.perf_counter()
    logits = model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits
    prefill = time.perf_counter() - start
    start = time.perf_counter()
    for _ in range(options.new_tokens - 1):
        logits = model(logits[:, -1:].argmax(-1), past_key_values=cache, use_cache=True).logits
    return prefill, (time.perf_counter() - start) / (options.new_tokens - 1)


prefill, decode = {}, {}
for length in map(int, options.tokens.split(",")):
    ids = prompt(length)
    measure(ids[:, :64])  # warm
    times = [measure(ids) for _ in range(options.runs)]
    prefill[length] = round(length / statistics.median(first for first, _ in times), 1)
    decode[length] = round(1 / statistics.median(each for _, each in times), 2)

print(
    json.dumps(
        {
            "peer": f"transformers {transformers.__version__} (torch {torch.__version__.split('+')[0]})",
            "weights": options.dtype,
            "threads": options.threads,
            "prefill_tokens_per_second": prefill,
            "decode_tokens_per_second": decode,
        }
    )
)
