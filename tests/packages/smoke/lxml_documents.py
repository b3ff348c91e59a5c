"""lxml: parsing, XPath, XSLT, validation, serialising, errors, events, custom element classes and resolvers."""
import io

from lxml import etree, html, objectify

root = etree.fromstring(b"<a x='1'><b>text</b>tail<c><b n='2'/></c><!-- remark --><?target data?></a>")
print(root.tag, root.attrib, [e.tag for e in root.iter("b")], len(root), root[0].tail)
print(etree.tostring(root, pretty_print=True).decode())
print(root.xpath("//b[@n]/@n"), root.xpath("count(//b)"), root.xpath("string(b)"), root.xpath("//b = 'text'"))
print(root.find(".//c/b").getparent().tag, root.getroottree().getpath(root[1][0]))
try:
    root.xpath("//b[")
except etree.XPathError as error:
    print(type(error).__name__, error)
try:
    etree.fromstring("<a><b></a>")
except etree.XMLSyntaxError as error:
    print(error.msg, error.lineno, error.position, [entry.type_name for entry in error.error_log])


def shout(context, nodes):
    return [node.text.upper() for node in nodes]


namespace = etree.FunctionNamespace("urn:own")
namespace["shout"] = shout
print(root.xpath("o:shout(//b[text()])", namespaces={"o": "urn:own"}))
transform = etree.XSLT(etree.XML("""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:param name="p"/><xsl:template match="/"><out><xsl:value-of select="$p"/><xsl:copy-of select="//b"/></out></xsl:template>
</xsl:stylesheet>"""))
print(str(transform(root, p=etree.XSLT.strparam("it's"))))
schema = etree.RelaxNG(etree.XML("<element name='a' xmlns='http://relaxng.org/ns/structure/1.0'><text/></element>"))
print(schema.validate(root), schema.error_log.last_error.message)


class Special(etree.ElementBase):
    @property
    def doubled(self):
        return (self.text or "") * 2


lookup = etree.ElementNamespaceClassLookup()
lookup.get_namespace(None)["b"] = Special
parser = etree.XMLParser()
parser.set_element_class_lookup(lookup)
print([element.doubled for element in etree.fromstring("<a><b>x</b><b>yz</b></a>", parser)])


class Resolver(etree.Resolver):
    def resolve(self, url, public, context):
        print("resolving", url)
        return self.resolve_string("<!ENTITY word 'resolved'>", context)


parser = etree.XMLParser(load_dtd=True, resolve_entities=True)
parser.resolvers.add(Resolver())
print(etree.fromstring("<!DOCTYPE a SYSTEM 'own.dtd'><a>&word;</a>", parser).text)
for event, element in etree.iterparse(io.BytesIO(b"<a><b/><c>d</c></a>"), events=("start", "end")):
    print(event, element.tag, end=" ")
print()


class Target:
    def __init__(self):
        self.seen = []

    def start(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def data(self, text):
        self.seen.append(text)

    def close(self):
        return self.seen


print(etree.fromstring("<a k='v'>one<b/>two</a>", etree.XMLParser(target=Target())))
page = html.fromstring("<p>Hello <a href='/x'>there</a><br>you")
page.make_links_absolute("http://host/")
print(html.tostring(page).decode(), [link[2] for link in page.iterlinks()])
record = objectify.fromstring("<r><n>3</n><f>1.5</f><s>x</s><t>true</t><n>4</n></r>")
print(record.n + 1, record.f * 2, record.s, record.t, [int(n) for n in record.n])
print(objectify.dump(record))
elements = [etree.SubElement(root, f"e{i}", number=str(i)) for i in range(200)]
root[:] = sorted(root, key=lambda e: e.get("number") or "")
print(len(root), root[-1].tag)
with etree.xmlfile(io.BytesIO()) as out, out.element("root"):
    out.write(etree.Element("child"))
