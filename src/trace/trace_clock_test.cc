// SPDX-License-Identifier: Apache-2.0
#include "trace/trace_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

namespace weft::trace {
namespace {

using enum ClockVerdict;
using ::testing::ElementsAre;

// "host.name=a service.name=s", and so on.
class ClockTest : public ::testing::Test {
 protected:
  ClockName Name(std::string_view text) {
    std::vector<KeyValue> attributes;
    while (!text.empty()) {
      std::string_view word = text.substr(0, text.find(' '));
      text.remove_prefix(std::min(text.size(), word.size() + 1));
      const size_t equals = word.find('=');
      attributes.push_back({word.substr(0, equals), Value::String(word.substr(equals + 1))});
    }
    return names_.Of(Resource{.attributes = attributes});
  }
  ClockVerdict Compare(std::string_view a, std::string_view b) {
    const ClockVerdict verdict = CompareClocks(Name(a), Name(b));
    EXPECT_EQ(CompareClocks(Name(b), Name(a)), verdict);
    return verdict;
  }
  std::vector<uint32_t> Group(std::vector<std::string_view> texts) {
    std::vector<ClockName> names;
    for (std::string_view text : texts) names.push_back(Name(text));
    return GroupClocks(names);
  }
  ClockNames names_;
};

TEST_F(ClockTest, ComparesAtTheFinestLevelThatBothName) {
  EXPECT_EQ(Compare("host.name=a service.name=s", "host.name=a service.name=t"), kSame);
  EXPECT_EQ(Compare("host.name=a service.name=s", "host.name=b service.name=s"), kOtherHost);
  EXPECT_EQ(Compare("host.name=a service.name=s", "service.name=s"), kSame);
  EXPECT_EQ(Compare("host.name=a service.name=s", "service.name=t"), kOther);
  EXPECT_EQ(Compare("service.name=s", "service.name=t"), kOther);
  EXPECT_EQ(Compare("service.name=s service.instance.id=1", "service.name=s service.instance.id=2"),
            kOther);
  EXPECT_EQ(Compare("service.name=s service.instance.id=1", "service.name=s"), kSame);
  EXPECT_EQ(Compare("host.name=a service.name=s service.instance.id=1",
                    "host.name=a service.name=s service.instance.id=2"),
            kSame);
  // An instance's id is one of its service.
  EXPECT_EQ(Compare("service.name=s service.instance.id=1", "service.name=t service.instance.id=1"),
            kOther);
  EXPECT_EQ(Compare("", "service.name=s"), kSame);
  EXPECT_EQ(Compare("", ""), kSame);
}

TEST_F(ClockTest, OneMachineUnderSeveralNames) {
  // In a pod host.name is the pod's name: the node decides.
  EXPECT_EQ(Compare("host.name=pod-1 k8s.node.name=n", "host.name=pod-2 k8s.node.name=n"), kSame);
  EXPECT_EQ(Compare("host.name=web-0 k8s.node.name=n", "host.name=web-0 k8s.node.name=m"),
            kOtherHost);
  EXPECT_EQ(Compare("host.id=1 host.name=localhost", "host.id=2 host.name=localhost"), kOtherHost);
  // Different keys are no different hosts.
  EXPECT_EQ(Compare("k8s.node.name=n service.name=s", "host.name=m service.name=s"), kSame);
  EXPECT_EQ(Compare("k8s.node.name=n service.name=s", "host.name=m service.name=t"), kOther);
  EXPECT_EQ(Compare("hostname=a service.name=s", "host.name=a service.name=t"), kSame);
  EXPECT_EQ(Compare("k8s.pod.uid=p service.name=s", "k8s.pod.uid=p service.name=t"), kSame);
  EXPECT_EQ(Compare("k8s.pod.name=p k8s.namespace.name=x", "k8s.pod.name=p k8s.namespace.name=y"),
            kOther);
}

TEST_F(ClockTest, GroupsAreConsistent) {
  EXPECT_THAT(Group({"service.name=s", "service.name=t", "service.name=s"}), ElementsAre(0, 1, 0));
  // t is on host a as the third says.
  EXPECT_THAT(Group({"host.name=a service.name=s", "service.name=t", "host.name=a service.name=t"}),
              ElementsAre(0, 0, 0));
  // s could be on a or on b.
  EXPECT_THAT(Group({"host.name=a service.name=s", "service.name=s", "host.name=b service.name=s"}),
              ElementsAre(0, 1, 2));
  // One machine by id, under the names a and b, which others use.
  EXPECT_THAT(Group({"host.id=1 host.name=a", "host.name=b", "host.name=a", "host.id=1 host.name=b",
                     "host.name=c"}),
              ElementsAre(0, 0, 0, 0, 1));
  EXPECT_THAT(Group({"host.id=1 host.name=x", "k8s.node.name=n host.name=x", "host.name=x"}),
              ElementsAre(0, 0, 0));
  EXPECT_THAT(Group({"", "service.name=s", ""}), ElementsAre(0, 1, 2));
}

}  // namespace
}  // namespace weft::trace
