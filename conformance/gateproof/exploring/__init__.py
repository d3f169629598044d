"""`gateproof explore`: turns that nobody wrote down, judged by what is known of them all.

`turns` and `wires` make scripts, `expectation` says what an answer to one has to be, `judging` what broke; `asking` puts the
question, `hunting` lets Hypothesis find and shrink one defect, `exploration` goes on until its time is over, and `finds` shows
what came of it. `turns`, `wires` and `hunting` need Hypothesis, an extra of the package (`gateproof[explore]`).
"""
