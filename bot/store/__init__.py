"""State behind one port with async methods. Who asked what is kept here, answers that wait to be shared, and what may still be asked of the vendors."""

from bot.store.ledger import StoredLedger
from bot.store.posts import Judged, Post, Posts, Subscription
from bot.store.sqlite import Asked, Store, StoreError

__all__ = ["Asked", "Judged", "Post", "Posts", "Store", "StoreError", "StoredLedger", "Subscription"]
