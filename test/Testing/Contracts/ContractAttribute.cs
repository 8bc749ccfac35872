using System.Reflection;
using Xunit;
using Xunit.v3;

namespace LoopBridge.Testing;

/// <summary>
/// Names the contract row that a test proves. Every run of the test is noted for the report, under the stack among its arguments.
/// </summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class ContractAttribute(string row) : BeforeAfterTestAttribute
{
    public string Row => row;

    /// <summary>Ends what the test began, so that the leak check is part of the outcome, and notes it.</summary>
    public override void After(MethodInfo methodUnderTest, IXunitTest test)
    {
        var contract = TestContext.Current.TestClassInstance as ContractTest;
        Exception? left = contract?.Finish();
        TestResult result = left is null ? TestContext.Current.TestState?.Result ?? TestResult.NotRun : TestResult.Failed;
        string stack = test.TestMethodArguments.OfType<ContractStack>().FirstOrDefault()?.Name
            ?? ServerStack.FindName(test.TestMethodArguments)
            ?? ContractResult.NoStack;
        ContractResults.Add(new ContractResult(row, stack, result, test.TestDisplayName, contract?.SkipReason));
        if (left is not null && contract!.ClaimFailure())
        {
            throw new ContractLeftoverException(left);
        }
    }
}

/// <summary>A test passed and left something behind: what it logged and did not take, or what it opened and did not close.</summary>
public sealed class ContractLeftoverException(Exception left) : Exception(left.Message, left);
