"""CLS vectors of an M2-BERT folder in torch: the maths of the published model code, written from its description.

Every call evaluates the filters (float32) and convolves by torch.fft over N = 2 L, as the published code does on a CPU;
the last layer computes all rows. The published code itself needs CUDA extensions and is no package.

    VENV/bin/python bench/peers/m2_bert_speed.py --model DIR [--threads 2]

Answers one JSON line a line on stdin: {"tokens": L} -> {"seconds": s, "cls": [...], "vm_hwm_bytes": n}; the ids are
1000 + (7919 i mod 20000). `{"tokens": L, "cls": true}` adds the vector.
"""
import argparse
import json
import os
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

arguments = argparse.ArgumentParser()
arguments.add_argument("--model", required=True)
arguments.add_argument("--threads", type=int, default=2)
options = arguments.parse_args()
torch.set_num_threads(options.threads)
torch.set_grad_enabled(False)
with open(os.path.join(options.model, "config.json"), encoding="utf8") as file:
    config = json.load(file)
weights = {name.removeprefix("bert."): x for name, x in load_file(os.path.join(options.model, "model.safetensors")).items()}
d, layers, blocks = config["hidden_size"], config["num_hidden_layers"], config["monarch_mlp_nblocks"]
intermediate, epsilon = config["intermediate_size"], config["layer_norm_eps"]


def linear(x, at):
    return F.linear(x, weights[f"{at}.weight"], weights[f"{at}.bias"])


def norm(x, at):
    return F.layer_norm(x, (d,), weights[f"{at}.weight"], weights[f"{at}.bias"], epsilon)


def implicit_filter(at, net, length):
    """[d, L]"""
    h = weights[f"{at}.pos_emb.z"][:, :length]
    for layer in (0, 2, 4):
        h = torch.sin(config["hyena_w_mod"] * weights[f"{at}.{net}.{layer + 1}.freq"] * linear(h, f"{at}.{net}.{layer}"))
    h = F.linear(h, weights[f"{at}.{net}.6.weight"])
    h = h * torch.exp(-weights[f"{at}.pos_emb.t"][:, :length] * weights[f"{at}.modulation.deltas"].abs())
    return h[0].T


def convolve(u, at):
    """u [1, d, L]"""
    length = u.shape[-1]
    size = 2 * length
    forward = implicit_filter(at, "implicit_filter", length)
    reverse = implicit_filter(at, "implicit_filter_rev", length)
    k = F.pad(forward, (0, length)) + F.pad(reverse.flip(-1), (length, 0))
    spectrum = torch.fft.rfft(k, n=size) / size
    y = torch.fft.irfft(torch.fft.rfft(u, n=size) * spectrum, n=size, norm="forward")[..., :length]
    return y + u * weights[f"{at}.bias"].unsqueeze(-1)


def block_diagonal(x, weight):
    batch, length, _ = x.shape
    rows = x.reshape(batch * length, blocks, -1).transpose(0, 1)
    return torch.bmm(rows, weight.transpose(1, 2)).transpose(0, 1).reshape(batch, length, -1)


def encode(ids):
    length = ids.shape[-1]
    at = "embeddings"
    x = weights[f"{at}.word_embeddings.weight"][ids] + weights[f"{at}.token_type_embeddings.weight"][0]
    x = norm(x + weights[f"{at}.position_embeddings.weight"][:length], f"{at}.LayerNorm")
    for layer in range(layers):
        at = f"encoder.layer.{layer}.attention"
        p = linear(x, f"{at}.in_linear").transpose(1, 2)
        taps, bias = weights[f"{at}.short_filter.weight"], weights[f"{at}.short_filter.bias"]
        x1, x2, v = F.conv1d(p, taps, bias, padding=2, groups=3 * d)[..., :length].split(d, dim=1)
        y = convolve(v * x1, f"{at}.filter_fn") * x2 + convolve(x.transpose(1, 2), f"{at}.filter_fn2")
        y = linear(y.transpose(1, 2), f"{at}.out_linear")
        at = f"encoder.layer.{layer}.mlp"
        h = block_diagonal(y, weights[f"{at}.gated_layers.weight"])
        m = F.gelu(h[..., :intermediate]) * h[..., intermediate:]
        x = norm(y + block_diagonal(m, weights[f"{at}.wo.weight"]) + weights[f"{at}.wo.bias"], f"{at}.layernorm")
    return x[0, 0]


def peak():
    with open("/proc/self/status", encoding="utf8") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


for line in sys.stdin:
    asked = json.loads(line)
    ids = torch.tensor([[1000 + (7919 * i) % 20000 for i in range(asked["tokens"])]])
    begin = time.perf_counter()
    cls = encode(ids)
    answer = {"seconds": time.perf_counter() - begin, "vm_hwm_bytes": peak(), "torch": torch.__version__}
    if asked.get("cls"):
        answer["cls"] = cls.tolist()
    print(json.dumps(answer), flush=True)
