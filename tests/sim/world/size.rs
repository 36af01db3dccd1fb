//! How large the repositories of a world are. Makes none.

/// Pull requests, issues, commits of one repository.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub usize, pub usize, pub usize);

impl Size {
    /// A few repositories with everything odd in them.
    pub const SMALL: &'static [Self] = &[Self(12, 18, 130), Self(3, 4, 9), Self(0, 0, 0)];
    /// The one repository that the README's request counts are about.
    pub const ONE: &'static [Self] = &[Self(2000, 1000, 10_000)];

    /// 19 repositories of uneven sizes: 1,682 pull requests, 2,626 issues, 8,409 commits in all.
    #[must_use]
    pub fn organization() -> Vec<Self> {
        let mut sizes = vec![Self(800, 1200, 4000), Self(400, 700, 2000), Self(200, 300, 1000)];
        sizes.extend([Self(18, 27, 88); 15]);
        let left = |total: usize, part: fn(&Self) -> usize, sizes: &[Self]| total - sizes.iter().map(part).sum::<usize>();
        let last = Self(left(1682, |size| size.0, &sizes), left(2626, |size| size.1, &sizes), left(8409, |size| size.2, &sizes));
        sizes.push(last);
        sizes
    }

    /// As many as a very large organization has, divided by `by`: 14,000 repositories with 1,000,000 commits, 300,000 pull
    /// requests and 100,000 issues. A tenth of it all is in one repository, half in ten others and a hundred, the rest anywhere.
    #[must_use]
    pub fn enormous(by: usize) -> Vec<Self> {
        let repositories = 14_000 / by;
        let (pulls, issues, commits) = (300_000 / by, 100_000 / by, 1_000_000 / by);
        let share = |part: usize, among: usize| Self(pulls * part / 100 / among, issues * part / 100 / among, commits * part / 100 / among);
        let (some, many) = (10, 100 / by.min(10));
        let mut sizes = vec![share(10, 1)];
        sizes.extend(vec![share(25, some); some]);
        sizes.extend(vec![share(25, many); many]);
        let rest = repositories - sizes.len();
        let left = |total: usize, part: fn(&Self) -> usize, sizes: &[Self]| total - sizes.iter().map(part).sum::<usize>();
        let all = Self(left(pulls, |size| size.0, &sizes), left(issues, |size| size.1, &sizes), left(commits, |size| size.2, &sizes));
        // One more for the first ones, so that none gets lost.
        let each = |total: usize, index: usize| total / rest + usize::from(index < total % rest);
        sizes.extend((0..rest).map(|index| Self(each(all.0, index), each(all.1, index), each(all.2, index))));
        sizes
    }
}
