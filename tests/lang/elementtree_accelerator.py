# Element, TreeBuilder and XMLParser of _elementtree: results, error types and texts.
import copy
import re
import warnings

import _elementtree as E
import xml.etree.ElementTree as ET
warnings.simplefilter('always')
def t(f):
    try: print(re.sub('0x[0-9a-f]+', '0x', repr(f())))
    except BaseException as e: print(type(e).__name__, e)
e=E.Element('a',{'x':'1'}); t(lambda: bool(e)); c=copy.copy(e); print(c.attrib is e.attrib)
r=E.Element('r'); r.text='t'; cm=ET.Comment('hi'); cm.tail='tl'; r.append(cm); t(lambda:list(r.itertext()))
for f in [lambda:E.Element(),lambda:E.Element(1,2),lambda:E.Element('a',attrib=3),lambda:E.Element('a',{},attrib=3),lambda:E.Element('a',{},b=3).attrib,lambda:E.SubElement(1,'a'),lambda:E.SubElement(r),lambda:E.SubElement(r,'a',attrib={'q':1},z=2).attrib,
 lambda:e.append(1),lambda:e.extend(1),lambda:e.extend([1]),lambda:e.__setitem__(0,e),lambda:e[5],lambda:r.__setitem__(0,1),lambda:r.__setitem__(slice(0,1),1),lambda:r.__setitem__(slice(0,1),[1]),lambda:r['a'],lambda:r.__setitem__('a',1),lambda:r.__setitem__(slice(0,3,2),[]),lambda:e.remove(e),lambda:e.remove(1),lambda:e.insert('a',e),lambda:e.makeelement('a'),lambda:e.makeelement('a',1),lambda:e.__setstate__(1),lambda:e.__setstate__({}),lambda:e.__setstate__({'tag':1,'_children':4}),lambda:e.__deepcopy__(1),lambda:setattr(e,'attrib',1),lambda:e.__delitem__(9),lambda:e.__getstate__(),
 lambda:E.TreeBuilder().close(),lambda:E.TreeBuilder().end('a'),lambda:E.TreeBuilder().start('a',1),lambda:E.TreeBuilder().data('a'),lambda:E.XMLParser(encoding=1),lambda:E.XMLParser(1),lambda:E.XMLParser().feed(1),lambda:E.XMLParser()._setevents(1,2),lambda:E.XMLParser()._setevents([],2),lambda:E.XMLParser()._setevents([],['x']),lambda:E.XMLParser()._setevents([],[3]),lambda:E.XMLParser(target=1)._setevents([],[3]),lambda:E.XMLParser().close(),lambda:E._set_factories(1,2),lambda:E.XMLParser().feed('<a>&foo;</a>'),lambda:E.TreeBuilder().comment('x'),lambda:E.TreeBuilder().pi('x'),lambda:E.XMLParser(encoding='foo').feed(b'<a/>'), lambda:E.Element.__new__(E.Element), lambda:repr(e.iter()), lambda:dir(E.Element), lambda:dir(E.TreeBuilder),lambda:dir(E.XMLParser),lambda:E.ParseError.__mro__,lambda:type(e.iter()),lambda:e.iter().__reduce__(),lambda:e.get(),lambda:e.find(1),lambda:e.find(b'x'),lambda:e.find(''),lambda:list(e.iter('*')),lambda:e.iter(b'*'), lambda:type(e.iter())(), lambda:e.set('a'),lambda:E.Element.text,lambda:ET.parse(__import__('io').StringIO("<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>")).getroot().text,lambda:e.insert(0,1),lambda:E.Element({}),lambda:E.Element.__doc__, lambda: E.TreeBuilder(1).start('a',{}),lambda: E.TreeBuilder(insert_pis=1,pi_factory=3).pi('a',{})]:
    t(f)

class Path:
    def __init__(self): self.log = []
    def start(self, tag, attrs): self.log.append(('start', tag, attrs))
    def end(self, tag): self.log.append(('end', tag))
    def data(self, text): self.log.append(('data', text))
    def comment(self, text): self.log.append(('comment', text))
    def pi(self, *args): self.log.append(('pi', args))
    def start_ns(self, *args): self.log.append(('start_ns', args))
    def end_ns(self, prefix): self.log.append(('end_ns', prefix))
    def doctype(self, *args): self.log.append(('doctype', args))
    def close(self): return self.log
text = '<!DOCTYPE a PUBLIC "p" "s"><a xmlns="u" xmlns:q="v" q:x="1" y="\xe9"><!--c--><?pi d?><q:b>t&amp;&lt;u</q:b>\u20ac<c/>z</a>'
def run(**options):
    parser = E.XMLParser(**options)
    parser.feed(text)
    return parser.close()
t(lambda: run(target=Path()))
t(lambda: ET.tostring(run()))
t(lambda: ET.tostring(run(target=E.TreeBuilder(insert_comments=True, insert_pis=True))))
def events():
    pull = ET.XMLPullParser(['start', 'end', 'start-ns', 'end-ns', 'comment', 'pi'])
    for c in text: pull.feed(c)
    return [(a, getattr(b, 'tag', b) if not callable(getattr(b, 'tag', None)) else b.text) for a, b in pull.read_events()]
t(events)
root = E.Element('r')
for i in range(12): E.SubElement(root, 'c%d' % i, {'i': str(i)}).text = 't%d' % i
def tags(): return [c.tag for c in root]
for s in [slice(1, 9, 3), slice(8, 1, -2), slice(0, 2), slice(None, None, 4)]:
    t(lambda: [c.tag for c in root[s]])
    del root[s]
    t(tags)
root[1:1] = [E.Element('n1'), E.Element('n2')]
t(tags)
root[::-2] = [E.Element('m%d' % i) for i in range(len(root[::-2]))]
t(tags)
root[:] = root[::-1]
t(tags)
t(lambda: ET.tostring(copy.deepcopy(root)) == ET.tostring(root))
class Boom:
    def start(self, tag, attrs): raise KeyError(tag)
t(lambda: run(target=Boom()))
