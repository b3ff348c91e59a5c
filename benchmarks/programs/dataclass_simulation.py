"""A population simulation heavy in dataclasses (fields, methods, replace, comparison)."""
from dataclasses import dataclass, field, replace


@dataclass(order=True)
class Animal:
    energy: int
    name: str = field(compare=False)
    x: int = 0
    y: int = 0
    age: int = 0

    def moved(self, dx, dy):
        return replace(self, x=(self.x + dx) % 60, y=(self.y + dy) % 60, energy=self.energy - 1, age=self.age + 1)


@dataclass(frozen=True)
class Cell:
    x: int
    y: int


@dataclass
class World:
    grass: dict = field(default_factory=dict)
    animals: list = field(default_factory=list)
    births: int = 0
    seed: int = 17

    def random(self, n):
        self.seed = (self.seed * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.seed >> 12) % n

    def step(self):
        survivors = []
        for animal in self.animals:
            animal = animal.moved(self.random(3) - 1, self.random(3) - 1)
            animal.energy += self.grass.pop(Cell(animal.x, animal.y), 0)
            if animal.energy <= 0 or animal.age > 90:
                continue
            if animal.energy > 40:
                animal.energy //= 2
                self.births += 1
                survivors.append(replace(animal, name=f"{animal.name.split('.')[0]}.{self.births}", age=0))
            survivors.append(animal)
        self.animals = survivors
        for _ in range(45):
            self.grass[Cell(self.random(60), self.random(60))] = 6


world = World(animals=[Animal(25, f"a{i}", i * 7 % 60, i * 13 % 60) for i in range(60)])
for _ in range(1600):
    world.step()
print(len(world.animals), world.births, len(world.grass))
print(max(world.animals), min(world.animals) == min(world.animals))
