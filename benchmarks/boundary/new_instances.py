# Making and dropping instances of an extension type.
from boundary import Thing


def main():
    thing = Thing()
    for i in range(1000000):
        Thing()
        thing.number
    print(thing.number)


main()
