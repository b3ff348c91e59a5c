# Calls of an object with a vectorcall slot, and of its type.
from boundary import Thing


def main():
    thing = Thing()
    for i in range(1000000):
        thing(i)
        thing(1)
    print(thing(1))


main()
