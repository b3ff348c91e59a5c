"""Many operations on arrays of a few elements: arithmetic, ufuncs, reductions, slices, views, construction, products."""
import numpy as np


def bodies(steps):
    position = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])
    velocity = np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.7, 0.0, 0.0]])
    mass = np.array([1.0, 1e-3, 1e-3])
    for _ in range(steps):
        for i in range(3):
            for j in range(3):
                if i != j:
                    difference = position[j] - position[i]
                    distance = np.sqrt(np.dot(difference, difference))
                    velocity[i] += 0.001 * mass[j] * difference / distance**3
        position += 0.001 * velocity
    return position.sum()


def rotations(count):
    vector = np.array([1.0, 0.0, 0.0])
    turn = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    for _ in range(count):
        vector = turn @ vector
        vector[2:] = vector[:1]
        vector = vector / np.abs(vector).max()
    return vector.mean()


def shapes(count):
    total = 0
    base = np.arange(24)
    for i in range(count):
        view = base.reshape(2, 3, 4)[:, i % 3, 1:].T
        total += int(view[0, 1]) + view.shape[0] + view.ndim
    return total


def building(count):
    total = 0.0
    for i in range(count):
        row = np.array([i, i + 1.0, 2.0])
        total += np.concatenate((row, np.zeros(2), np.ones(1))).sum() + np.where(row > 2.0, row, 0.0)[0]
    return total


print(round(bodies(3000), 9), round(rotations(30000), 9), shapes(60000), building(30000))
