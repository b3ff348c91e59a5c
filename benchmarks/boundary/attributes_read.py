# Reading members and computed attributes of an extension type.
from boundary import Thing


def main():
    thing = Thing()
    for i in range(1000000):
        thing.object
        thing.number
        thing.computed
    print(thing.computed)


main()
