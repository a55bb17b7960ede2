"""What the adapters of hosted engines share: one account, one paid request, one kept picture.

There is no retry of a paid request in here, on purpose: only the builder knows whether it may be
paid for again. It goes by the kind of the error. What is free, a picture that lies ready, is fetched again.
"""
