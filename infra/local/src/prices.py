"""Holds 100,000 prices against the contract as jsonschema does, which computes in doubles as most validators do.

    python prices.py contract.json
"""

import json
import sys

from jsonschema import Draft202012Validator

with open(sys.argv[1], encoding="utf-8") as file:
    schemas = json.load(file)["components"]["schemas"]

CENTS = [*range(1, 61_001), *range(61_001, 100_000_001, 2_499), 100_000_000]
PRICES = [f"{cents // 100}.{cents % 100:02}" for cents in CENTS]
assert len(PRICES) > 100_000

for name in ("NewProduct", "ProductChanges"):
    validator = Draft202012Validator(schemas[name]["properties"]["productPrice"])
    refused = [price for price in PRICES if not validator.is_valid(json.loads(price))]
    if refused:
        sys.exit(f"{name} refuses {len(refused)} of {len(PRICES)} prices, such as {refused[0]}")
    assert not validator.is_valid(0) and not validator.is_valid("9")
