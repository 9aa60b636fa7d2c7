"""Taking documents out again: requests, the register that remembers them, the next version of a manifest, erasing."""
