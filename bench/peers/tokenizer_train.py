"""Trains the reference BPE tokenizer on a JSONL file: python tokenizer_train.py TEXT.jsonl VOCAB OUT.json"""
import json
import resource
import sys
import time

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers


def texts(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def main():
    path, vocab, out = sys.argv[1:]
    began = time.perf_counter()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=int(vocab),
        special_tokens=["<|endoftext|>", "<|padding|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts(path), trainer)
    tokenizer.save(out)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "peakMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000}))


main()
