"""State behind one port with async methods. Who asked what is kept here, and answers that wait to be shared."""

from bot.store.sqlite import Asked, Store, StoreError

__all__ = ["Asked", "Store", "StoreError"]
