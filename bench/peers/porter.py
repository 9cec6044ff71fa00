"""Writes tests/golden/porter.tsv: words that use every rule of the Porter stemmer, with their stems.

    python bench/peers/porter.py TEXT.jsonl.gz... > tests/golden/porter.tsv      words from the `text` of these files
    python bench/peers/porter.py --all TEXT.jsonl.gz... > all.tsv                every word: compare with bench/bm25Porter.ts

The reference is nltk's PorterStemmer in its MARTIN_EXTENSIONS mode, which reproduces the author's own C program and so Lucene's
PorterStemFilter. Snowball's `porter` (PyStemmer) lacks the two departures and undoubles only nine consonants; that it differs
nowhere else is asserted too.
"""

import collections
import gzip
import json
import random
import re
import sys

import Stemmer
from nltk.stem.porter import PorterStemmer

SUFFIXES = """sses ies ss s eed ed ing at bl iz y ational tional enci anci izer bli alli entli eli ousli ization ation ator alism
iveness fulness ousness aliti iviti biliti logi icate ative alize iciti ical ful ness al ance ence er ic able ible ant ement ment
ent sion tion ion ou ism ate iti ous ive ize e ll""".split()
# What a suffix looks like in a whole word, before earlier steps changed it.
SURFACE = {s: [s] + ([s[:-1] + "y", s[:-1] + "ies"] if s.endswith("i") else [s + "s", s + "ed", s + "ing"]) for s in SUFFIXES}


def words_of(paths):
    words = set()
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                words.update(re.findall(r"[a-z]+", json.loads(line)["text"].lower()))
    return sorted(words)


def main(arguments):
    stemmer = PorterStemmer(mode=PorterStemmer.MARTIN_EXTENSIONS)
    snowball = Stemmer.Stemmer("porter")
    words = words_of([a for a in arguments if a != "--all"])
    stems = {word: stemmer.stem(word) for word in words}
    differing = [w for w in words if stems[w] != snowball.stemWord(w)]
    strange = [w for w in differing if len(w) > 2 and not re.search(r"bl[yi]|log[yi]|([chjkqvwx])\1(ed|ing)", w)]
    assert not strange, strange[:20]
    if "--all" not in arguments:
        rng = random.Random(17)
        chosen = {"a", "as", "by", "sky", "happy", "say", "hopping", "hoping", "falling", "filing", "failing", "controlling", "roll"}
        for surfaces in SURFACE.values():
            for surface in surfaces:
                kinds = collections.defaultdict(list)
                for word in words:
                    if word.endswith(surface):
                        kinds[len(word) - len(stems[word])].append(word)
                for members in kinds.values():
                    chosen.update(rng.sample(members, min(1, len(members))))
        words = sorted(chosen & set(words) | {"a", "as", "by"})
    for word in words:
        print(word, stems.get(word, word), sep="\t")


main(sys.argv[1:])
