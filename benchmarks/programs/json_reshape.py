"""Reshaping JSON documents (json, dicts, comprehensions, sorting)."""
import json

records = [{"id": i, "user": {"name": f"user{i % 97}", "tags": [f"t{i % 5}", f"t{i % 7}"]},
            "amount": (i * 37 % 1000) / 10, "active": i % 3 == 0} for i in range(6000)]
for _ in range(28):
    documents = json.loads(json.dumps(records))
    by_user = {}
    for document in documents:
        entry = by_user.setdefault(document["user"]["name"], {"total": 0.0, "ids": [], "tags": set()})
        entry["total"] += document["amount"]
        entry["ids"].append(document["id"])
        entry["tags"].update(document["user"]["tags"])
    flat = [{"user": name, "total": round(e["total"], 2), "count": len(e["ids"]), "tags": sorted(e["tags"])}
            for name, e in sorted(by_user.items(), key=lambda item: (-item[1]["total"], item[0]))]
    text = json.dumps(flat, indent=1, sort_keys=True)
print(len(text), text[:120].replace("\n", " "))
