"""Many small classes with properties, descriptors, class and static methods, operators and __getattr__."""


class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance, value):
        if value < 0:
            raise ValueError(self.name)
        setattr(instance, self.name, value)


class Account:
    balance = Positive()
    opened = 0

    def __init__(self, owner, balance):
        self.owner = owner
        self.balance = balance
        type(self).opened += 1

    @property
    def rich(self):
        return self.balance > 500

    @classmethod
    def empty(cls, owner):
        return cls(owner, 0)

    @staticmethod
    def fee(amount):
        return amount // 100

    def __iadd__(self, amount):
        self.balance += amount - self.fee(amount)
        return self

    def __lt__(self, other):
        return (self.balance, self.owner) < (other.balance, other.owner)

    def __getattr__(self, name):
        if name.startswith("twice_"):
            return 2 * getattr(self, name[6:])
        raise AttributeError(name)

    def __contains__(self, text):
        return text in self.owner

    def __len__(self):
        return len(self.owner)

    def __call__(self, amount):
        self.balance -= min(amount, self.balance)


class Savings(Account):
    __slots__ = ()

    def __iadd__(self, amount):
        return super().__iadd__(amount + 1)


accounts = [(Savings if i % 3 else Account)(f"owner{i}", i * 7 % 1000) for i in range(300)]
accounts.append(Account.empty("nobody"))
for turn in range(1500):
    for i, account in enumerate(accounts):
        account += (i * turn) % 50
        if account.rich:
            account(30)
        if "9" in account and account.twice_balance > 900:
            account.balance = 10
print(Account.opened, Savings.opened, sum(a.balance for a in accounts), sum(map(len, accounts)))
best = max(accounts)
print(best.owner, best.balance, [a.owner for a in sorted(accounts)[:3]])
try:
    accounts[0].balance = -1
except ValueError as error:
    print("refused", error)
