//! Repositories that are made from a seed of their own when somebody looks at one, and forgotten when others were looked at
//! since: so that millions of objects need not be in memory at once. Whatever is asked for by a repository's name or by
//! the node id of something in it finds them, and so does GraphQL's list of the organization; nothing can happen to them,
//! and neither does git know their commits nor do these name their files.

use super::{Histories, START, Size, World};
use crate::random::Random;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// More ids than a pull request with all that belongs to it takes, and than a repository takes besides.
const IDS: u64 = 40;
const IDS_BESIDES: u64 = 200;
/// Lists of a repository that grow with it.
const LONG: &[&str] = &["pullRequests", "issues", "reviewComments", "workflowRuns"];

#[derive(Default)]
pub(super) struct Lazy {
    seed: u64,
    /// So many rows are kept, at some 3 KB each, but for those of the one that was looked at last.
    room: u64,
    slots: Vec<Slot>,
    /// What all of them hold, by entity.
    truth: Map<String, Value>,
    /// Counts looks.
    looks: AtomicU64,
}

struct Slot {
    size: Size,
    /// Its ids follow this one.
    before: u64,
    rows: u64,
    /// What the organization's list tells of it.
    brief: Value,
    whole: OnceLock<Value>,
    looked: AtomicU64,
}

impl Clone for Lazy {
    fn clone(&self) -> Self {
        let slot = |slot: &Slot| Slot { brief: slot.brief.clone(), whole: OnceLock::new(), looked: AtomicU64::new(0), ..*slot };
        Self { seed: self.seed, room: self.room, slots: self.slots.iter().map(slot).collect(), truth: self.truth.clone(), looks: AtomicU64::new(0) }
    }
}

fn name(index: usize) -> String {
    format!("repo-{index:05}")
}

/// The only repository of a world, but of its long lists what changed last and how many there are.
fn brief(world: World) -> Value {
    let mut repo = world.repos.into_iter().next().unwrap_or_default();
    let head = repo.pointer("/defaultBranchRef/target").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(commits) = repo.get_mut("commits").and_then(Value::as_object_mut) {
        commits.retain(|oid, _| *oid == head);
    }
    let mut totals = Map::new();
    for &list in LONG {
        let Some(items) = repo.get_mut(list).and_then(Value::as_array_mut) else { continue };
        totals.insert(list.to_owned(), json!(items.len()));
        let newest = std::mem::take(items).into_iter().max_by_key(|item| {
            let of = |name: &str| item.get(name).cloned().unwrap_or_default();
            (of("updatedAt").as_str().map(str::to_owned), of("number").as_u64())
        });
        items.extend(newest);
    }
    repo["totals"] = Value::Object(totals);
    repo
}

impl Lazy {
    /// Makes each once, to know what it holds.
    pub(super) fn new(seed: u64, sizes: &[Size], room: u64) -> Self {
        let mut lazy = Self { seed, room, ..Self::default() };
        let mut before = 1000;
        for size in sizes {
            lazy.slots.push(Slot { size: *size, before, rows: 0, brief: Value::Null, whole: OnceLock::new(), looked: AtomicU64::new(0) });
            before += IDS_BESIDES + IDS * u64::try_from(size.0 + size.1).unwrap_or(0);
        }
        let next = AtomicUsize::new(0);
        let some = || {
            let indices = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed)).take_while(|index| *index < sizes.len());
            indices.map(|index| (index, lazy.made(index))).map(|(index, world)| (index, world.truth(), brief(world))).collect()
        };
        let made: Vec<(usize, Map<String, Value>, Value)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..std::thread::available_parallelism().map_or(1, usize::from)).map(|_| scope.spawn(some)).collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).flat_map(|some: Vec<_>| some).collect()
        });
        let number = |count: &Value| count.as_u64().unwrap_or(0);
        for (index, truth, brief) in made {
            if let Some(slot) = lazy.slots.get_mut(index) {
                (slot.brief, slot.rows) = (brief, truth.values().map(number).sum());
            }
            for (entity, count) in truth {
                let sum = lazy.truth.get(&entity).map_or(0, number) + number(&count);
                lazy.truth.insert(entity, json!(sum));
            }
        }
        lazy
    }

    /// A world of this one alone.
    fn made(&self, index: usize) -> World {
        let (size, before) = self.slots.get(index).map_or((Size(0, 0, 0), 0), |slot| (slot.size, slot.before));
        let seed = Random(self.seed.wrapping_add(u64::try_from(index).unwrap_or(0))).draw();
        let mut world = World { random: Random(seed), plain: true, fileless: true, now: START, next_id: before, ..World::default() };
        world.add_repo(&name(index), size);
        world
    }

    fn whole(&self, index: usize) -> Option<&Value> {
        let slot = self.slots.get(index)?;
        slot.looked.store(self.looks.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(slot.whole.get_or_init(|| self.made(index).repos.into_iter().next().unwrap_or_default()))
    }

    /// Forgets whatever was not looked at for longest, once there is too much.
    pub(super) fn forget(&mut self, histories: &mut Histories) {
        let mut made: Vec<&mut Slot> = self.slots.iter_mut().filter(|slot| slot.whole.get().is_some()).collect();
        let mut rows: u64 = made.iter().map(|slot| slot.rows).sum();
        if rows <= self.room {
            return;
        }
        made.sort_by_key(|slot| slot.looked.load(Ordering::Relaxed));
        made.pop();
        for slot in made {
            if rows <= self.room / 4 * 3 {
                break;
            }
            rows -= slot.rows;
            let id = slot.brief.get("databaseId").and_then(Value::as_u64);
            histories.retain(|(repo, _), _| Some(*repo) != id);
            slot.whole = OnceLock::new();
        }
    }

    pub(super) fn truth(&self) -> &Map<String, Value> {
        &self.truth
    }

    pub(super) fn briefs(&self) -> impl Iterator<Item = &Value> {
        self.slots.iter().map(|slot| &slot.brief)
    }

    /// The one with this name.
    pub(super) fn named(&self, wanted: &str) -> Option<&Value> {
        let index = wanted.strip_prefix("repo-")?.parse().ok()?;
        if name(index) == wanted { self.whole(index) } else { None }
    }

    /// The one that has this node id, or something with it.
    pub(super) fn around(&self, id: &str) -> Option<&Value> {
        let number: u64 = id.split('_').nth(1)?.parse().ok()?;
        let index = self.slots.partition_point(|slot| slot.before < number).checked_sub(1)?;
        self.whole(index)
    }
}
