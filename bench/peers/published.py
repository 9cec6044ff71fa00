"""Condenses the public result files into the tables that isoflop ships: src/data/published/{mteb,pythia}.ts.

usage: ISOFLOP_DATA=DIR python3 bench/peers/published.py
Reads  mteb_beir/family_scaling.csv  (embeddings-benchmark/results, CC0)
and    pythia_evals/pythia_v1_evals.csv  (EleutherAI/pythia evals/pythia-v1, Apache-2.0).
"""

import csv
import os
import pathlib

DATA = pathlib.Path(os.environ["ISOFLOP_DATA"])
OUT = pathlib.Path(__file__).resolve().parents[2] / "src" / "data" / "published"

COLLECTIONS = (
    "ArguAna ClimateFEVER CQADupstackRetrieval DBPedia FEVER FiQA2018 HotpotQA MSMARCO NFCorpus NQ "
    "QuoraRetrieval SCIDOCS SciFact Touche2020 TRECCOVID"
).split()

# Steps kept of the 143,000: at about equal ratios.
STEPS = ("1000", "3000", "13000", "33000", "63000", "103000", "143000")
TASKS = {
    "lambada_openai": "acc",
    "piqa": "acc",
    "arc_easy": "acc",
    "arc_challenge": "acc_norm",
    "sciq": "acc",
    "logiqa": "acc_norm",
    "winogrande": "acc",
    "wsc": "acc",
}
# Layers, width and padded vocabulary of each size.
SHAPES = {
    "70m": (6, 512, 50304),
    "160m": (12, 768, 50304),
    "410m": (24, 1024, 50304),
    "1b": (16, 2048, 50304),
    "1.4b": (24, 2048, 50304),
    "2.8b": (32, 2560, 50304),
    "6.9b": (32, 4096, 50432),
    "12b": (36, 5120, 50688),
}


def parameters(size):
    """Total with untied embeddings: 2 V d + L (12 d^2 + 13 d) + 2 d."""
    layers, width, vocabulary = SHAPES[size]
    return 2 * vocabulary * width + layers * (12 * width**2 + 13 * width) + 2 * width


def write(name, constant, comment, header, rows):
    lines = [",".join(header)] + [",".join(row) for row in rows]
    body = "\n".join(lines)
    text = f"/** {comment} Made by bench/peers/published.py; do not edit. */\nexport const {constant} = `{body}\n`;\n"
    (OUT / name).write_text(text, encoding="utf-8")


def mteb():
    with open(DATA / "mteb_beir" / "family_scaling.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    header = ["family", "type", "model", "revision", "params", "paramsSource"] + COLLECTIONS
    kept = []
    for row in rows:
        scores = [float(row[name]) for name in COLLECTIONS if name != "MSMARCO" and row[name]]
        if row["mean_14_zero_shot"]:
            assert len(scores) == 14 and abs(sum(scores) / 14 - float(row["mean_14_zero_shot"])) < 2e-5, row["model"]
        kept.append(
            [row["family"], row["type"], row["model"], row["revision"], row["n_params"], row["n_params_source"]]
            + [row[name] for name in COLLECTIONS]
        )
    comment = "nDCG@10 of model families on BEIR's tasks, from embeddings-benchmark/results at f4cc6c8b (CC0)."
    write("mteb.ts", "mtebCsv", comment, header, kept)


def pythia():
    scores = {}
    with open(DATA / "pythia_evals" / "pythia_v1_evals.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["shots"] == "zero-shot" and TASKS.get(row["task"]) == row["metric"]:
                scores[row["model"], row["step"], row["task"]] = f"{float(row['value']):.4f}"
    rows = []
    for size in SHAPES:
        for suite in ("", "-deduped"):
            name = f"pythia-{size}{suite}"
            stored = "pythia-1b-bf16" if name == "pythia-1b" else name
            for step in STEPS:
                values = [scores.get((stored, step, task), "") for task in TASKS]
                if any(values):
                    rows.append([name, "pythia" + suite, str(parameters(size)), step] + values)
    comment = "Zero-shot accuracy of Pythia checkpoints, from EleutherAI/pythia evals/pythia-v1 (Apache-2.0)."
    write("pythia.ts", "pythiaCsv", comment, ["model", "family", "params", "step"] + list(TASKS), rows)
    return len(rows)


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    mteb()
    print(f"{pythia()} Pythia checkpoints written")
