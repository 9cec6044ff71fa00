"""Does what isoflop writes load in Transformers and safetensors with the same numbers, and the other way round?

  1. isoflop writes model directories; AutoModelForCausalLM and AutoTokenizer load them; the logits must agree to 1e-4.
  2. Transformers saves directories (fp32, fp16, bf16, sharded, the base model alone); isoflop reads them; the same.
  3. isoflop writes a file of every element type; the safetensors package must read equal numbers.
  4. Broken files: whatever the safetensors package refuses, isoflop must refuse too, without failing in any other way.

    python bench/peers/hf_interchange.py [MUTATIONS]        (from the repository's root, after npm run build)
"""
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import numpy as np
import torch
from safetensors import safe_open
from safetensors.numpy import load_file
from safetensors.torch import save
from transformers import AutoModelForCausalLM, AutoTokenizer, MptConfig, MptForCausalLM

DRIVER = "build/bench/hf-interchange.js"


def isoflop(*arguments):
    out = subprocess.run(["node", DRIVER, *arguments], capture_output=True, text=True)
    if out.returncode != 0:
        raise SystemExit(out.stderr)
    return json.loads(out.stdout)


def ids_for(config):
    length = min(12, config.max_seq_len)
    return torch.tensor([(7 * i * i + 3 * i + 1) % config.vocab_size for i in range(2 * length)]).view(2, length)


def logits_of(net):
    with torch.no_grad():
        return net.float().eval()(ids_for(net.config)).logits.flatten()


def report(**fields):
    print(json.dumps(fields), flush=True)


def theirs_from_ours(folder):
    ours = isoflop("write", folder)
    for name, logits in ours["logits"].items():
        net, info = AutoModelForCausalLM.from_pretrained(f"{folder}/{name}", output_loading_info=True)
        assert type(net) is MptForCausalLM and not any(info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
        gap = (logits_of(net) - torch.tensor(logits)).abs().max().item()
        report(check="Transformers reads isoflop's", case=name, dtype=str(net.config.dtype), max_gap=gap)
        assert gap < 1e-4, name
    tokenizer = AutoTokenizer.from_pretrained(f"{folder}/{ours['tokenizer']}")
    ids = tokenizer("hello<|endoftext|>")["input_ids"]
    report(check="AutoTokenizer reads isoflop's", ids=ids, eos=tokenizer.eos_token, eos_id=tokenizer.eos_token_id, pad=tokenizer.pad_token)
    assert tokenizer.eos_token_id == ids[-1] and tokenizer.decode(ids) == "hello<|endoftext|>"
    tensors = load_file(f"{folder}/every-type.safetensors")
    expected = {
        "f32": np.float32([[1.5, -0.0, 1e-45], [3.4e38, 0.1, -7]]), "f64": np.float64([np.pi, 5e-324]),
        "i64": np.int64([2**52, -(2**52)]), "i32": np.int32([2**31 - 1, -(2**31), 0]), "bool": np.array([True, False, False, True]),
        "scalar": np.float32(42), "empty": np.zeros((0, 4), np.float32), '\u540d\u524d "\\\n': np.float32([1]), "__proto__": np.float32([2]),
    }
    assert tensors.keys() == expected.keys(), tensors.keys()
    for name, value in expected.items():
        assert tensors[name].dtype == value.dtype and tensors[name].shape == value.shape and tensors[name].tobytes() == value.tobytes(), name
    with safe_open(f"{folder}/every-type.safetensors", "np") as file:
        assert file.metadata() == {"format": "pt", "note": '\u00e9\U0001f600"\\'}
    report(check="safetensors reads isoflop's file of every element type", tensors=len(tensors))


def ours_from_theirs(folder):
    cases = [
        ("fp32", torch.float32, {}), ("fp16", torch.float16, {}), ("bf16", torch.bfloat16, {}),
        ("sharded", torch.float32, {"max_shard_size": "30KB"}), ("base-model", torch.float32, {"base": True}),
    ]
    for k, (name, dtype, options) in enumerate(cases):
        torch.manual_seed(k)
        heads = [4, 6, 3, 12, 2][k]
        net = MptForCausalLM(MptConfig(d_model=48, n_heads=heads, n_layers=3, vocab_size=61, max_seq_len=32))
        with torch.no_grad():
            for p in net.parameters():
                p.add_(torch.randn_like(p) * 0.1)
        net.to(dtype)
        base = options.pop("base", False)
        (net.transformer if base else net).save_pretrained(f"{folder}/{name}", **options)
        ours = isoflop("logits", f"{folder}/{name}")
        assert ours["ids"] == ids_for(net.config).flatten().tolist()
        gap = (logits_of(net) - torch.tensor(ours["logits"])).abs().max().item()
        report(check="isoflop reads Transformers'", case=name, heads=heads, max_gap=gap)
        assert gap < 1e-4, name


def valid_file(rng):
    dtypes = [torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.uint8, torch.float64]
    tensors = {
        f"t{i}": torch.zeros([rng.randint(0, 3) for _ in range(rng.randint(0, 3))], dtype=rng.choice(dtypes)) for i in range(rng.randint(0, 4))
    }
    return bytearray(save(tensors, metadata=rng.choice([None, {"format": "pt"}])))


def mutate(data, rng):
    kind = rng.choice(["flip", "cut", "grow", "length", "digit", "header"])
    header = struct.unpack("<Q", data[:8])[0]
    if kind == "flip" and data:
        data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind == "cut":
        del data[rng.randrange(len(data) + 1):]
    elif kind == "grow":
        data += bytes(rng.randint(1, 9))
    elif kind == "length":
        data[:8] = struct.pack("<Q", rng.choice([0, 1, header - 1, header + 1, 2**32, 2**63, 2**64 - 1, 100_000_001]))
    elif kind == "digit":
        places = [i for i in range(8, 8 + header) if chr(data[i]).isdigit()]
        if places:
            data[rng.choice(places)] = ord(rng.choice("0123456789-e."))
    else:
        data[8 + rng.randrange(header)] = rng.choice(b'{}[]",: 0')
    return data


def verdict(path):
    try:
        with safe_open(path, "pt") as file:
            list(file.keys())
        return "read"
    except Exception as error:  # the package raises one class for everything
        return str(error)


def broken_files(folder, count):
    rng = random.Random(17)
    for i in range(count):
        data = valid_file(rng)
        for _ in range(rng.randint(0, 3)):
            if len(data) > 9:
                try:
                    data = mutate(data, rng)
                except (struct.error, ValueError, IndexError):
                    pass
        with open(f"{folder}/{i}.safetensors", "wb") as file:
            file.write(data)
    ours = isoflop("verdicts", folder)
    both = {"both read": 0, "both refuse": 0, "only isoflop refuses": [], "only isoflop reads": []}
    for name, mine in ours.items():
        theirs = verdict(f"{folder}/{name}")
        if (mine == "read") == (theirs == "read"):
            both["both read" if mine == "read" else "both refuse"] += 1
        elif mine == "read":
            both["only isoflop reads"].append(f"{name}: {theirs}")
        else:
            both["only isoflop refuses"].append(mine.split(": ", 1)[1])
    reasons = {}
    for text in both.pop("only isoflop refuses"):
        key = text.split(": ")[-1][:60]
        reasons[key] = reasons.get(key, 0) + 1
    report(check="broken files", files=len(ours), **both, only_isoflop_refuses=reasons)


def main(mutations):
    with tempfile.TemporaryDirectory() as root:
        for name in ("ours", "theirs", "broken"):
            os.mkdir(f"{root}/{name}")
        theirs_from_ours(f"{root}/ours")
        ours_from_theirs(f"{root}/theirs")
        broken_files(f"{root}/broken", mutations)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
