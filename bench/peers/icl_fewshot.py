"""Golden file for the few-shot examples that llm-foundry picks: Python's random.Random and the order of its sets.

The choice is described in llm-foundry's documentation and source: sample without replacement from the whole file, replace the test item
itself by another draw, iterate the set.

    python bench/peers/icl_fewshot.py > tests/golden/icl-fewshot.golden.json
"""
import json
import random
import sys


def choose(size, shots, item, rng):
    chosen = set(rng.sample(range(size), min(size - 1, shots)))
    if item in chosen:
        chosen.remove(item)
        if len(chosen) < size - 1:
            other = rng.choice(range(size))
            while other in chosen or other == item:
                other = rng.choice(range(size))
            chosen.add(other)
    return list(chosen)


def case(size, shots, seed, items):
    rng = random.Random(seed)
    drawn = [choose(size, shots, item, rng) for item in range(items)]
    return {"size": size, "shots": shots, "seed": seed, "chosen": drawn}


def main():
    cases = [case(size, shots, seed, min(size, 24)) for seed in (1234, 0, 4294967295)
             for size, shots in ((2117, 3), (21, 5), (22, 5), (8, 10), (2, 3), (1172, 25), (500, 10), (20321, 3), (86, 6), (37, 30), (3, 2))]
    words = random.Random(1234)
    json.dump({"words": [words.getrandbits(32) for _ in range(1300)][-8:], "cases": cases}, sys.stdout, separators=(",", ":"))


if __name__ == "__main__":
    main()
