"""deepcopy and pickle of object graphs."""
import copy
import pickle


class Node:
    def __init__(self, value, parent=None):
        self.value = value
        self.parent = parent
        self.children = []
        self.meta = {"depth": 0 if parent is None else parent.meta["depth"] + 1, "tags": [value % 3, str(value)]}
        if parent is not None:
            parent.children.append(self)

    def total(self):
        return self.value + sum(child.total() for child in self.children)


def tree(depth, value=1, parent=None):
    node = Node(value, parent)
    if depth:
        for i in range(3):
            tree(depth - 1, value * 3 + i, node)
    return node


root = tree(8)
for _ in range(2):
    clone = copy.deepcopy(root)
    clone.children[0].value += 1
    print(root.total(), clone.total())
for protocol in (2, 4, 5):
    data = pickle.dumps(root, protocol)
    print(protocol, len(data), pickle.loads(data).total())
