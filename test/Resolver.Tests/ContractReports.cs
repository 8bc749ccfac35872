using LoopBridge.Testing;
using Xunit.v3;

[assembly: TestPipelineStartup(typeof(ContractReporting))]
