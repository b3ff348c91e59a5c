"""XML processing with ElementTree (building, serialising, parsing, searching)."""
import xml.etree.ElementTree as ET

root = ET.Element("catalogue")
for i in range(5000):
    item = ET.SubElement(root, "item", id=str(i), kind="abc"[i % 3])
    ET.SubElement(item, "name").text = f"thing {i} & <co>"
    price = ET.SubElement(item, "price", currency="EUR")
    price.text = f"{i % 97 + 0.5:.2f}"
text = ET.tostring(root, encoding="unicode")
print(len(text))
for _ in range(9):
    parsed = ET.fromstring(text)
    total = sum(float(p.text) for p in parsed.iter("price"))
    names = [item.findtext("name") for item in parsed.findall("item[@kind='b']")]
    for item in list(parsed):
        if item.get("kind") == "c":
            parsed.remove(item)
        else:
            item.set("seen", "yes")
print(f"{total:.2f}", len(names), names[1], len(parsed), len(ET.tostring(parsed)))
