use core::fmt;

/// What a cache holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheKind {
    /// Data.
    Data,
    /// Instructions.
    Instruction,
    /// Both.
    Unified,
}

impl CacheKind {
    /// All, with their names in facts.
    pub const ALL: [(CacheKind, &'static str); 3] =
        [(CacheKind::Data, "data"), (CacheKind::Instruction, "instruction"), (CacheKind::Unified, "unified")];

    /// The name in facts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        CacheKind::ALL[self as usize].1
    }
}

impl fmt::Display for CacheKind {
    /// `data`, `instruction` or `unified`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which of a model's caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CacheSlot {
    /// Level 1, data.
    L1d,
    /// Level 1, instructions.
    L1i,
    /// Level 2.
    L2,
    /// Level 3.
    L3,
}

impl CacheSlot {
    /// All, with their names in facts.
    pub const ALL: [(CacheSlot, &'static str); 4] =
        [(CacheSlot::L1d, "l1d"), (CacheSlot::L1i, "l1i"), (CacheSlot::L2, "l2"), (CacheSlot::L3, "l3")];

    /// The name in facts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        CacheSlot::ALL[self as usize].1
    }
}

impl fmt::Display for CacheSlot {
    /// `l1d`, `l1i`, `l2` or `l3`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who shares a cache: the processors of one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SharedBy {
    /// A thread.
    Thread,
    /// A core.
    Core,
    /// A module.
    Module,
    /// A die.
    Die,
    /// A socket.
    Socket,
}

impl SharedBy {
    /// All, with their names in QEMU's enumerators and in facts.
    pub const ALL: [(SharedBy, &'static str); 5] = [
        (SharedBy::Thread, "thread"),
        (SharedBy::Core, "core"),
        (SharedBy::Module, "module"),
        (SharedBy::Die, "die"),
        (SharedBy::Socket, "socket"),
    ];

    /// The name in facts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        SharedBy::ALL[self as usize].1
    }
}

impl fmt::Display for SharedBy {
    /// `thread`, `core`, `module`, `die` or `socket`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A cache. What QEMU's source leaves out is 0 or false.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cache {
    /// What it holds.
    pub kind: CacheKind,
    /// 1, 2 or 3.
    pub level: u32,
    /// Bytes.
    pub size: u64,
    /// Bytes of a line.
    pub line_size: u32,
    /// Ways.
    pub associativity: u32,
    /// Line partitions.
    pub partitions: u32,
    /// Sets.
    pub sets: u32,
    /// Lines that share a tag (AMD).
    pub lines_per_tag: u32,
    /// Needs no software to initialize it.
    pub self_init: bool,
    /// WBINVD does not reach lower caches of other threads.
    pub no_invd_sharing: bool,
    /// Holds all that lower caches hold.
    pub inclusive: bool,
    /// A complex function picks the set.
    pub complex_indexing: bool,
    /// Who shares it, where the release says so.
    pub shared_by: Option<SharedBy>,
}

/// A byte of leaf 2, and the cache that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheDescriptor {
    /// The byte.
    pub byte: u8,
    /// What the cache holds.
    pub kind: CacheKind,
    /// 1, 2 or 3.
    pub level: u32,
    /// Bytes.
    pub size: u32,
    /// Bytes of a line.
    pub line_size: u32,
    /// Ways.
    pub associativity: u32,
}

impl CacheDescriptor {
    /// True when this is the descriptor of such a cache.
    #[must_use]
    pub fn describes(&self, cache: &Cache) -> bool {
        self.kind == cache.kind
            && self.level == cache.level
            && u64::from(self.size) == cache.size
            && self.line_size == cache.line_size
            && self.associativity == cache.associativity
    }
}

/// Which version of a model a machine type takes where its name has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefaultVersion {
    /// This one.
    Version(u32),
    /// Each model's last: microvm.
    Latest,
    /// The base definition, without any version's properties: machine types before 4.1, and isapc.
    Legacy,
}
