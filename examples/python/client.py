"""Asks a running suite from Python: encode a prompt, select an action for it, generate with that action.

The stubs are made from the protos (see README.md). Every address has the default port of its service.
"""

import argparse
import sys

import grpc

from a2sf.encoder.v1 import encoder_pb2, encoder_pb2_grpc
from a2sf.generator.v1 import generator_pb2, generator_pb2_grpc
from a2sf.policy.v1 import policy_pb2, policy_pb2_grpc
from a2sf.types.v1 import types_pb2

TIMEOUT_S = 120


def encode(address: str, text: str) -> types_pb2.Embedding:
    with grpc.insecure_channel(address) as channel:
        encoder = encoder_pb2_grpc.EncoderServiceStub(channel)
        request = encoder_pb2.EncodeRequest(inputs=[types_pb2.Prompt(text=text)])
        return encoder.Encode(request, timeout=TIMEOUT_S).embeddings[0]


def select(address: str, embedding: types_pb2.Embedding) -> policy_pb2.SelectActionResponse:
    """Without `explore` the policy answers the action of the highest predicted reward."""
    with grpc.insecure_channel(address) as channel:
        policy = policy_pb2_grpc.PolicyServiceStub(channel)
        return policy.SelectAction(policy_pb2.SelectActionRequest(embedding=embedding), timeout=TIMEOUT_S)


def generate(address: str, text: str, compression: types_pb2.Compression | None) -> None:
    """Prints the text as it comes; the last message tells what it cost. No compression means the full cache."""
    request = generator_pb2.GenerateRequest(prompt=types_pb2.Prompt(text=text), compression=compression)
    with grpc.insecure_channel(address) as channel:
        generator = generator_pb2_grpc.GeneratorServiceStub(channel)
        for piece in generator.Generate(request, timeout=TIMEOUT_S):
            print(piece.text, end="", flush=True)
        usage = piece.usage
    print(f"\n  kept {usage.kept_tokens} of {usage.prompt_tokens} keys per head, {usage.cache_bytes} of {usage.full_cache_bytes} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", default="127.0.0.1:50051")
    parser.add_argument("--generator", default="127.0.0.1:50052")
    parser.add_argument("--policy", default="127.0.0.1:50054")
    parser.add_argument("--budget", type=int, default=64, help="keys kept per layer and KV head")
    parser.add_argument("--prompt_file", help="file that holds the prompt (default: standard input)")
    args = parser.parse_args()
    if args.prompt_file is None:
        text = sys.stdin.read()
    else:
        with open(args.prompt_file, encoding="utf-8") as file:
            text = file.read()

    embedding = encode(args.encoder, text)
    print(f"embedding: {len(embedding.values)} numbers of {embedding.tokens} tokens, by {embedding.encoder_id}")

    choice = select(args.policy, embedding)
    print(f"action: a={choice.action.a:g} b={choice.action.b}, predicted reward {choice.predicted_reward:.3f}")

    print("full cache:")
    generate(args.generator, text, None)
    print("compressed cache:")
    compression = None
    if not choice.use_full_cache:
        compression = types_pb2.Compression(action=choice.action, budget=args.budget)
    generate(args.generator, text, compression)


if __name__ == "__main__":
    try:
        main()
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        reason = trailers.get("a2sf-reason", "no reason given")
        sys.exit(f"{error.code().name}: {error.details()} ({reason}, request {trailers.get('a2sf-request-id', '-')})")
