"""Users of other classes beside ours; in a process of its own, for importing Locust patches it."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from itertools import product
from locust import User
from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode
from upswarm.swarm.beside import added_users
from upswarm.workload.iterations import Iterations
from upswarm.workload.kinds import FixedLoad

class Ours(User):
    pass

class Visitor(User):
    pass

class Guard(User):
    pass

def counts(dispatcher, users):
    dispatcher.new_dispatch(users, max(users, 20))
    return list(dispatcher)[-1]

for slots, workers, visitors, guards in product(range(1, 7), range(1, 5), range(3), range(2)):
    Visitor.fixed_count, Guard.fixed_count = visitors, guards
    classes = [Ours, *(each for each in (Visitor, Guard) if each.fixed_count)]
    nodes = [WorkerNode(str(index)) for index in range(workers)]
    dispatcher = UsersDispatcher(nodes, classes)
    for present in (workers, workers + 1, workers):
        if present > workers:
            dispatcher.add_worker(WorkerNode("late"))
        elif len(dispatcher._worker_nodes) > present:
            dispatcher.remove_worker(dispatcher._worker_nodes[0])
        ours = FixedLoad(Iterations(1000, slots)).users_at(0, present)
        each = counts(dispatcher, ours + added_users(classes)).values()
        case = (slots, present, visitors, guards, list(each))
        assert len(each) == present, case
        assert {count["Ours"] for count in each} == {ours // present}, case
        assert sum(count.get("Visitor", 0) for count in each) == visitors, case
        assert sum(count.get("Guard", 0) for count in each) == guards, case
    gone = counts(dispatcher, added_users(classes)).values()
    assert sum(count["Ours"] for count in gone) == 0, (slots, workers, visitors, guards)
print("as many of ours on each worker, and others in addition")
"""


def test_users_in_addition_displace_no_slot_on_any_worker_also_when_workers_come_and_go() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("as many of ours on each worker, and others in addition\n", "")
