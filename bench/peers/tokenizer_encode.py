"""Encodes a JSONL file held in memory: python tokenizer_encode.py TEXT.jsonl TOKENIZER.json encode_batch|encode_batch_fast"""
import json
import resource
import sys
import time

import numpy as np
from tokenizers import Tokenizer

BATCH = 256


def main():
    path, model, method = sys.argv[1:]
    with open(path, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    encode = getattr(Tokenizer.from_file(model), method)
    began = time.perf_counter()
    tokens = 0
    for start in range(0, len(texts), BATCH):
        for encoding in encode(texts[start : start + BATCH], add_special_tokens=False):
            tokens += np.array(encoding.ids, np.uint16).size
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000
    print(json.dumps({"seconds": seconds, "tokens": tokens, "peakMb": peak}))


main()
