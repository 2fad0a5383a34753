//! Where builds run: projects and reserved fleets.

use super::attribute::Attribute;

/// A `CodeBuild` project.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Project {
    /// `LINUX_CONTAINER`, `ARM_LAMBDA_CONTAINER`… as the API has it.
    pub environment_type: Attribute<String>,
    /// `BUILD_GENERAL1_SMALL`…
    pub compute_type: Attribute<String>,
    /// The image, which tells some machines apart.
    pub image: Attribute<String>,
    /// The reserved fleet it runs on: its name, its ARN, or the address of its resource.
    pub fleet: Attribute<String>,
    /// Minutes after which a build is stopped: a bound, never a duration.
    pub timeout: Attribute<u32>,
    /// It may run batches.
    pub batch: Attribute<bool>,
    /// The size of its Docker server.
    pub docker_server: Attribute<String>,
    /// How often a failed build is tried again; each is a build.
    pub auto_retry: Attribute<u32>,
    /// Builds may run Docker.
    pub privileged: Attribute<bool>,
}

/// A reserved fleet of `CodeBuild`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fleet {
    /// `LINUX_CONTAINER`, `MAC_ARM`…
    pub environment_type: Attribute<String>,
    /// `BUILD_GENERAL1_SMALL`…, `ATTRIBUTE_BASED_COMPUTE` or `CUSTOM_INSTANCE_TYPE`.
    pub compute_type: Attribute<String>,
    /// What a machine has, where the compute type says that it is stated.
    pub configuration: Attribute<ComputeConfiguration>,
    /// Machines that are always there.
    pub base_capacity: Attribute<u32>,
    /// Machines that scaling may add up to.
    pub max_capacity: Attribute<u32>,
    /// `QUEUE` or `ON_DEMAND`.
    pub overflow: Attribute<String>,
}

/// What a machine of a fleet has; AWS chooses one with at least as much.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ComputeConfiguration {
    /// Processors.
    pub vcpu: Attribute<u32>,
    /// Memory in GiB.
    pub memory: Attribute<u32>,
    /// Disk in GB.
    pub disk: Attribute<u32>,
    /// `GENERAL` or `NVME`.
    pub machine_type: Attribute<String>,
    /// `t3.medium`…
    pub instance_type: Attribute<String>,
}
