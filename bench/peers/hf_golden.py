"""Golden files for reading what others wrote: tests/golden/hf/, a few kilobytes each.

  every-dtype.safetensors, every-dtype.json   written by the safetensors package, and the same numbers as text
  plain.safetensors                           element types that isoflop writes too: its writer must make the same bytes
  mpt-3-heads/, mpt-bf16-sharded/             directories saved by Transformers' MptForCausalLM.save_pretrained
  mpt-logits.json                             what those models make of fixed ids

    python bench/peers/hf_golden.py tests/golden/hf
"""
import json
import os
import shutil
import sys

import torch
from safetensors.torch import save_file
from transformers import MptConfig, MptForCausalLM


def awkward():
    """float32 numbers at which rounding to halves is easily got wrong: ties, subnormals, the largest, carries."""
    f = torch.tensor
    ties = 1 + torch.arange(8, dtype=torch.float64) * 2.0**-11  # halfway between binary16 numbers
    fine = 1 + torch.arange(8, dtype=torch.float64) * 2.0**-8  # halfway between bfloat16 numbers
    small = torch.tensor([1.0, 1.5, 2.5, 3.49, 1023.5, 1024.5, 0.5, 0.49], dtype=torch.float64) * 2.0**-24
    large = f([65504.0, 65519.0, 1 - 2.0**-12, 2 - 2.0**-12, 3.0e-39, 1e-45, 0.0, -0.0], dtype=torch.float64)
    numbers = torch.cat([ties, fine, small, large, torch.randn(32, generator=torch.Generator().manual_seed(1)).double()])
    return torch.cat([numbers, -numbers]).float()


def every_dtype():
    numbers = awkward()
    return {
        "f32": numbers.reshape(2, 2, -1),
        "f16": numbers.half(),
        "bf16": numbers.bfloat16(),
        "f64": torch.tensor([[0.1, 5e-324, -1.7976931348623157e308]], dtype=torch.float64),
        "i64": torch.tensor([2**62, -(2**63), 0, 2**53 + 1], dtype=torch.int64),
        "i32": torch.tensor([2**31 - 1, -(2**31), 7], dtype=torch.int32),
        "i16": torch.tensor([32767, -32768, 1], dtype=torch.int16),
        "i8": torch.tensor([127, -128, 0, 3, 5], dtype=torch.int8),
        "u8": torch.tensor([[255, 0, 9]], dtype=torch.uint8),
        "u16": torch.tensor([65535, 0], dtype=torch.uint16),
        "bool": torch.tensor([True, False, True]),
        "scalar": torch.tensor(42.5),
        "empty": torch.zeros(3, 0),
        "a name with spaces, \u00e9 and \U0001f600": torch.tensor([1.0]),
    }


def plain():
    return {
        "z": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "a.weight": torch.tensor([0.5, -2.0]),
        "steps": torch.tensor([3, 2**40]),
        "mask": torch.tensor([True, False, True]),
        "ids": torch.tensor([7, -7], dtype=torch.int32),
        "double": torch.tensor([0.1], dtype=torch.float64),
        "\u00e9": torch.tensor(1.0),
    }


def as_text(tensor):
    if tensor.dtype.is_floating_point:
        return [repr(v) for v in tensor.double().flatten().tolist()]
    return [str(int(v)) for v in tensor.flatten().tolist()]


def model(width, heads, layers, dtype, **options):
    torch.manual_seed(heads)
    config = MptConfig(d_model=width, n_heads=heads, n_layers=layers, vocab_size=31, max_seq_len=16, **options)
    net = MptForCausalLM(config).eval()
    with torch.no_grad():
        for p in net.parameters():
            p.add_(torch.randn_like(p) * 0.2)
    return net.to(dtype)


def logits(net):
    ids = torch.tensor([[(7 * i * i + 3 * i + 5 * j) % 31 for i in range(12)] for j in range(2)])
    with torch.no_grad():
        out = net.float()(ids).logits
    return {"ids": ids.tolist(), "lastLogits": [round(v, 6) for v in out[-1, -3:].flatten().tolist()]}


def main(folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tensors = every_dtype()
    save_file(tensors, f"{folder}/every-dtype.safetensors", metadata={"format": "pt"})
    expected = {name: {"shape": list(t.shape), "values": as_text(t)} for name, t in tensors.items()}
    with open(f"{folder}/every-dtype.json", "w") as file:
        json.dump(expected, file)
    save_file(plain(), f"{folder}/plain.safetensors", metadata={"format": "pt"})

    golden = {}
    for name, net, shard in [
        ("mpt-3-heads", model(12, 3, 1, torch.float32), "1GB"),
        ("mpt-bf16-sharded", model(16, 4, 2, torch.bfloat16, learned_pos_emb=False), "6KB"),
    ]:
        net.save_pretrained(f"{folder}/{name}", max_shard_size=shard)
        os.remove(f"{folder}/{name}/generation_config.json")
        for file in os.listdir(f"{folder}/{name}"):
            os.chmod(f"{folder}/{name}/{file}", 0o644)
        golden[name] = logits(net)
    with open(f"{folder}/mpt-logits.json", "w") as file:
        json.dump(golden, file)


if __name__ == "__main__":
    main(sys.argv[1])
