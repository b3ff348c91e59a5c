# Operators of an extension type: its C slots.
from boundary import Thing


def main():
    thing = Thing()
    for i in range(1000000):
        thing + i
        len(thing)
        thing[2]
    print(thing[2])


main()
