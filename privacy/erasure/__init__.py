"""The inside of an erasure; what others call is in `privacy.erasures`.

What keeps a person (`keeps`), what the order does at once (`ordering`, with `face`,
`forgetting`), what follows (`followup`, `stages`, `passages`), and the receipt (`receipts`).
"""
