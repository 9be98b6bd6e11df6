"""Writes onnx/model.onnx beside a BERT encoder's weights, as the published folders hold it.

    python export_encoder_onnx.py MODEL_DIR OUT_DIR

OUT_DIR becomes a folder that transformers.js reads: the files of MODEL_DIR without its weights, and the graph with the
inputs input_ids, attention_mask and token_type_ids and the output last_hidden_state, batch and length free.
"""

import pathlib
import shutil
import sys

import torch
from transformers import AutoModel, AutoTokenizer

source, target = map(pathlib.Path, sys.argv[1:3])
(target / "onnx").mkdir(parents=True, exist_ok=True)
for file in source.glob("*.json"):
    shutil.copy(file, target)
model = AutoModel.from_pretrained(source, attn_implementation="eager").eval()
batch = AutoTokenizer.from_pretrained(source)(["one sentence", "another, longer one"], padding=True, return_tensors="pt")
names = ["input_ids", "attention_mask", "token_type_ids"]
torch.onnx.export(
    model,
    tuple(batch[name] for name in names),
    str(target / "onnx" / "model.onnx"),
    input_names=names,
    output_names=["last_hidden_state"],
    dynamic_axes={name: {0: "batch", 1: "length"} for name in [*names, "last_hidden_state"]},
    opset_version=17,
)
