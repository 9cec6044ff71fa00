"""Golden file for the BPE trainer and encoder, made by the `tokenizers` package's own trainer.

    python bench/peers/bpe_golden.py LICENSE > tests/golden/bpe.golden.json

One case is learned from a text file (the repository's LICENSE), with ids of a few texts; the others from short random strings over tiny
alphabets, where ties are the rule: they pin the order in which equally frequent pairs are merged.
"""
import hashlib
import json
import random
import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SPECIAL_TOKENS = ["<|endoftext|>", "<|padding|>"]
TEXTS = [
    "You may reproduce and distribute copies of the Work, in any medium.",
    "  two  blanks\n\n\tand 'quotes' that's they'll I'M\r\n",
    "na\u00efve caf\u00e9 \u65e5\u672c\u8a9e \U0001f600\U0001f3fd\u200d\U0001f680 \u0645\u0631\u062d\u0628\u0627 x\u00b2 \u2167 12345\u00a0\u3000end",
    "e\u0301 is not \u00e9, and \ufeff stays",
]


def train(texts, vocab_size, min_frequency):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def merges(tokenizer):
    return [" ".join(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]


def random_case(draw):
    alphabet = draw.choice(["ab", "abc", "aab ", "a b\n", "a\u00e9\u65e5 !'s", "ab1 "])
    texts = ["".join(draw.choice(alphabet) for _ in range(draw.randint(1, 50))) for _ in range(draw.randint(1, 8))]
    case = {"texts": texts, "vocabSize": 258 + draw.randint(1, 80), "minFrequency": draw.choice([1, 2, 3])}
    return {**case, "merges": merges(train(texts, case["vocabSize"], case["minFrequency"]))}


def main():
    text = open(sys.argv[1], encoding="utf-8", newline="").read()
    tokenizer = train([text], 1024, 2)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    draw = random.Random(17)
    json.dump(
        {
            "file": {
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
                "vocabSize": 1024,
                "minFrequency": 2,
                "merges": merges(tokenizer),
                "vocabulary": [token for token, _ in vocabulary],
                "encodings": [{"text": t, "ids": tokenizer.encode(t).ids} for t in TEXTS],
            },
            "random": [random_case(draw) for _ in range(40)],
        },
        sys.stdout,
        indent=None,
    )
    print()


main()
