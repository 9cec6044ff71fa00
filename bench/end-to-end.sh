#!/usr/bin/env bash
# From Wikipedia text to zero-shot retrieval, by the command line alone: what does pretraining bring to a retriever of about a million parameters?
#
#     ISOFLOP_DATA=... bench/end-to-end.sh OUTPUT [TOKENS] [PAIRS]
#
# Prints one table a contestant (BM25; the rung untrained; pretrained only; finetuned without pretraining; pretrained and finetuned) and a comparison of
# the two finetuned ones on SciFact. Interrupted, the same call goes on where it stopped. About an hour on one core of a small machine.
set -euo pipefail
out=${1:?usage: end-to-end.sh OUTPUT [TOKENS] [PAIRS]}
tokens=${2:-10e6}
pairs=${3:-4096}
data=${ISOFLOP_DATA:?is not set: the collections lie there}
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
here=$(cd "$(dirname "$0")/.." && pwd)
isoflop() { node "$here/dist/cli/main.js" "$@"; }
mkdir -p "$out"

wiki="$data/wiki_en_2015"
cat > "$out/pretrain.yaml" <<YAML
model: mpt-800k # 0.8 million parameters, 1.3 million with its embeddings
text: ['$wiki/wiki-00.jsonl.gz', '$wiki/wiki-01.jsonl.gz', '$wiki/wiki-02.jsonl.gz']
tokenizer: { vocabSize: 4096 }
sequenceLength: 256
batchTokens: 4096
tokens: 10e6
learningRate: 2e-3
heldOutTokens: 32768
YAML

isoflop pretrain "$out/pretrain.yaml" --set "tokens=$tokens" -o "$out/pretrained"
# The same rung with the same tokenizer and random weights: one step at a rate that moves nothing.
isoflop pretrain "$out/pretrain.yaml" --set "tokenizer=$out/pretrained/tokenizer.json" --set tokens=4096 --set warmupTokens=0 \
  --set learningRate=1e-12 -o "$out/untrained"
pretrained=$(echo "$out"/pretrained/models/*)
untrained=$(echo "$out"/untrained/models/*)

[ -s "$out/mined.jsonl" ] || isoflop mine "$data/train_pairs/wiki_section.jsonl.gz" --negatives 15 -o "$out/mined.jsonl"
[ -s "$out/pairs.jsonl" ] || head -n "$pairs" "$out/mined.jsonl" > "$out/pairs.jsonl"
isoflop finetune "$untrained" "$out/pairs.jsonl" --train-passage-tokens 64 -o "$out/finetuned-scratch"
isoflop finetune "$pretrained" "$out/pairs.jsonl" --train-passage-tokens 64 -o "$out/finetuned-pretrained"

collections=("$data/scifact" "$data/classic/cranfield" "$data/classic/npl" "$data/classic/med" "$data/classic/cacm" "$data/boolq_dev")
evaluate() { isoflop beir "$2" "${collections[@]}" ${3:+--name "$3"} -o "$out/results/$1"; }
evaluate bm25 bm25
evaluate untrained "$untrained" untrained
evaluate pretrained "$pretrained" pretrained
evaluate finetuned-scratch "$out/finetuned-scratch/models/embedder" finetuned-scratch
evaluate finetuned-pretrained "$out/finetuned-pretrained/models/embedder" finetuned-pretrained
isoflop eval "$data/scifact/qrels/test.tsv" "$out/results/finetuned-scratch/runs/SciFact.run" \
  "$out/results/finetuned-pretrained/runs/SciFact.run" -m nDCG@10 R@100
