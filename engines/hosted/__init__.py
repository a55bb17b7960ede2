"""What the adapters of hosted engines share: one account, one paid request, one kept picture.

There is no retry in here, on purpose: a request costs money, and only the builder knows whether it may be
paid for again. It goes by the kind of the error.
"""
