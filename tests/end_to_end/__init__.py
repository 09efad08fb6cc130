"""Shops, shoppers and providers around the whole gateway, over HTTP."""
