/**
 * Luo et al. (2024, arXiv 2408.12194), "Large Language Models as Foundations for Next-Gen Dense Retrieval": every backbone finetuned on
 * MS MARCO with the same LoRA recipe; zero-shot nDCG@10 in percent on 13 BEIR sets (no CQADupStack), the paper's own average, and
 * MS MARCO dev (nDCG@10, MRR@10).
 */
export const luoCsv = `model,family,type,base,ArguAna,ClimateFEVER,DBPedia,FEVER,FiQA2018,HotpotQA,NFCorpus,NQ,QuoraRetrieval,SCIDOCS,SciFact,Touche2020,TRECCOVID,average,MSMARCO,msmarco_mrr_at_10
BERT-base,BERT,encoder,google-bert/bert-base-uncased,42.9,19.9,30.3,69.4,24.4,50.2,25.3,42.3,84.8,13.1,50.6,21.8,57.4,40.9,37.5,31.6
BERT-large,BERT,encoder,google-bert/bert-large-uncased,43.1,21.7,31.9,68.1,26.4,51.4,26.7,46.4,85.7,13.8,54.7,20.7,59.2,42.2,39.9,33.8
T5-v1.1-xxl,T5,encoder,google/t5-v1_1-xxl,44.0,24.6,35.2,63.4,36.1,57.5,31.4,50.3,85.1,15.1,62.0,22.7,52.9,44.6,,
Phi-1.5-1.3B,Phi,decoder,microsoft/phi-1_5,45.4,26.3,28.0,64.9,32.1,54.5,31.7,42.5,86.6,16.2,65.9,23.6,65.0,44.8,40.6,34.1
Phi-2-2.7B,Phi,decoder,microsoft/phi-2,49.4,31.2,34.4,70.7,38.4,62.2,36.5,50.8,86.9,18.5,67.2,23.3,66.1,48.8,43.3,36.6
Gemma-2B,Gemma,decoder,google/gemma-2b,47.9,31.5,40.2,72.9,39.0,61.9,36.0,52.5,84.8,18.1,72.4,18.7,55.7,48.5,46.8,39.8
Gemma-7B,Gemma,decoder,google/gemma-7b,49.9,31.3,42.8,73.5,44.0,67.3,38.1,60.4,86.9,18.7,74.7,21.5,58.3,51.2,48.7,41.7
Llama-2-7B,Llama-2,decoder,meta-llama/Llama-2-7b-hf,48.7,31.2,44.4,76.2,42.3,68.1,36.2,57.3,86.8,18.3,73.8,19.6,47.8,50.0,47.8,40.8
Llama-2-13B,Llama-2,decoder,meta-llama/Llama-2-13b-hf,57.4,30.7,43.9,70.4,45.6,67.7,37.1,60.9,85.8,17.7,74.6,21.8,55.0,51.4,48.7,42.0
Llama-3-8B,Llama-3,decoder,meta-llama/Meta-Llama-3-8B,56.1,30.8,41.6,72.7,41.7,66.0,35.2,56.4,85.8,17.8,74.0,20.6,56.9,50.4,49.0,42.1
Qwen1.5-0.5B,Qwen1.5,decoder,Qwen/Qwen1.5-0.5B,46.0,26.6,32.9,68.1,31.9,56.6,29.8,43.4,84.6,15.8,65.4,13.5,54.7,43.8,43.3,36.7
Qwen1.5-4B,Qwen1.5,decoder,Qwen/Qwen1.5-4B,50.2,30.5,40.5,72.9,39.4,63.7,35.4,54.3,85.3,17.5,70.8,18.3,58.6,49.0,46.8,40.0
Qwen1.5-14B,Qwen1.5,decoder,Qwen/Qwen1.5-14B,56.5,30.1,43.0,73.4,45.0,64.4,36.4,59.3,85.7,19.3,74.2,21.9,60.8,51.5,48.3,41.3
Qwen1.5-32B,Qwen1.5,decoder,Qwen/Qwen1.5-32B,57.5,31.3,44.5,75.3,47.9,68.0,37.1,59.7,86.0,18.8,75.6,24.5,60.3,52.8,49.5,42.6
`;
