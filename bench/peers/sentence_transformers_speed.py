"""How many short sentences a second does torch embed, on the CPU?

    python sentence_transformers_speed.py --model DIR [--threads 2] [--sentences 256] [--runs 7] [--batch 8,32,256]

Prints one JSON line for bench/encoder.mjs --peers. What SentenceTransformer.encode does: sentences are sorted by length,
read in batches padded to the longest, mean-pooled over their tokens and normalised. The package itself is used where it is
installed, else transformers with the same steps; the best of the given batch sizes counts. The sentences are those of
short-sentences.mjs.
"""

import argparse
import json
import statistics
import time

import torch
import transformers

parser = argparse.ArgumentParser(description="speed of sentence-transformers, as one JSON line")
parser.add_argument("--model", required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--sentences", type=int, default=256)
parser.add_argument("--runs", type=int, default=7)
parser.add_argument("--batch", default="8,32,256")
options = parser.parse_args()
torch.set_num_threads(options.threads)

WORDS = (
    "the river mill a letter old captain found under stone bridge while children of village were counting lamps and "
    "nobody had seen where her grey horse went after rain"
).split(" ")


def sentence(i):
    chosen = [WORDS[(7919 * i + 104729 * j + i * j) % len(WORDS)] for j in range(6 + i % 9)]
    return f"{' '.join(chosen)} {i}."


sentences = [sentence(i) for i in range(options.sentences)]

try:
    import sentence_transformers

    peer = f"sentence-transformers {sentence_transformers.__version__} (torch {torch.__version__.split('+')[0]}"
    model = sentence_transformers.SentenceTransformer(options.model, device="cpu")

    def embed(size):
        model.encode(sentences, batch_size=size, normalize_embeddings=True, show_progress_bar=False)

except ImportError:
    peer = f"transformers {transformers.__version__} (torch {torch.__version__.split('+')[0]}"
    tokenizer = transformers.AutoTokenizer.from_pretrained(options.model)
    model = transformers.AutoModel.from_pretrained(options.model).eval()
    by_length = sorted(sentences, key=len)

    @torch.inference_mode()
    def embed(size):
        for start in range(0, len(by_length), size):
            batch = tokenizer(by_length[start : start + size], padding=True, truncation=True, return_tensors="pt")
            states = model(**batch).last_hidden_state  # [B, L, D]
            mask = batch["attention_mask"].unsqueeze(-1).float()  # [B, L, 1]
            means = (states * mask).sum(1) / mask.sum(1)
            torch.nn.functional.normalize(means, dim=1).numpy()


sizes = [int(size) for size in options.batch.split(",")]
times = {size: [] for size in sizes}
for run in range(-1, options.runs):
    for size in sizes:
        start = time.perf_counter()
        embed(size)
        if run >= 0:  # the first warms
            times[size].append(time.perf_counter() - start)
best = min(sizes, key=lambda size: statistics.median(times[size]))

print(
    json.dumps(
        {
            "peer": f"{peer}, batches of {best})",
            "weights": "float32",
            "threads": options.threads,
            "texts_per_second": round(options.sentences / statistics.median(times[best]), 1),
        }
    )
)
