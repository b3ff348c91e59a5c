# Calls of functions with keyword arguments.
from boundary import fast_keywords, keywords


def main():
    for i in range(1000000):
        fast_keywords(i, second=2)
        keywords(1, second=2)
    print(keywords(1, second=2))


main()
