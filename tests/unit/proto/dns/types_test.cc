#include "proto/dns/types.h"

#include <gtest/gtest.h>

namespace swarmdns::dns {
namespace {

TEST(Types, TextOfRegisteredAndUnknownValues) {
  EXPECT_EQ(to_text(Type::A), "A");
  EXPECT_EQ(to_text(Type::AAAA), "AAAA");
  EXPECT_EQ(to_text(Type::Null), "NULL");
  EXPECT_EQ(to_text(Type::NSAP_PTR), "NSAP-PTR");
  EXPECT_EQ(to_text(static_cast<Type>(65280)), "TYPE65280");
  EXPECT_EQ(to_text(static_cast<Type>(0)), "TYPE0");
  EXPECT_EQ(to_text(Class::CH), "CH");
  EXPECT_EQ(to_text(static_cast<Class>(2)), "CLASS2");
  EXPECT_EQ(to_text(Rcode::NXDomain), "NXDOMAIN");
  EXPECT_EQ(to_text(Rcode::BadVers), "BADVERS");
  EXPECT_EQ(to_text(static_cast<Rcode>(12)), "RCODE12");
  EXPECT_EQ(to_text(Opcode::Notify), "NOTIFY");
  EXPECT_EQ(to_text(static_cast<Opcode>(3)), "OPCODE3");
}

TEST(Types, EveryTypeSurvivesTextAndBack) {
  for (unsigned v = 0; v <= 65535; ++v) {
    const auto type = static_cast<Type>(v);
    EXPECT_EQ(type_from_text(to_text(type)), type) << v;
    const auto klass = static_cast<Class>(v);
    EXPECT_EQ(class_from_text(to_text(klass)), klass) << v;
  }
  for (unsigned v = 0; v <= 4095; ++v) {
    const auto rcode = static_cast<Rcode>(v);
    EXPECT_EQ(rcode_from_text(to_text(rcode)), rcode) << v;
  }
  for (unsigned v = 0; v <= 15; ++v) {
    const auto opcode = static_cast<Opcode>(v);
    EXPECT_EQ(opcode_from_text(to_text(opcode)), opcode) << v;
  }
}

TEST(Types, NumbersOfTheRegistry) {
  EXPECT_EQ(type_from_text("SVCB"), static_cast<Type>(64));
  EXPECT_EQ(type_from_text("HTTPS"), static_cast<Type>(65));
  EXPECT_EQ(type_from_text("CAA"), static_cast<Type>(257));
  EXPECT_EQ(type_from_text("DNSKEY"), static_cast<Type>(48));
  EXPECT_EQ(type_from_text("NSEC3"), static_cast<Type>(50));
  EXPECT_EQ(type_from_text("DLV"), static_cast<Type>(32769));
}

TEST(Types, FromTextIgnoresCaseAndKnowsTheGenericForms) {
  EXPECT_EQ(type_from_text("aaaa"), Type::AAAA);
  EXPECT_EQ(type_from_text("type28"), Type::AAAA);
  EXPECT_EQ(type_from_text("*"), Type::ANY);
  EXPECT_EQ(class_from_text("class1"), Class::IN);
  EXPECT_EQ(class_from_text("CLASS65535"), static_cast<Class>(65535));
}

TEST(Types, FromTextRefusesWhatIsNoType) {
  for (const char* text :
       {"", "TYPE", "TYPE65536", "TYPE-1", "TYPE+1", "TYPE1x", "TYPE 1", "AA", "TYPE99999999999"}) {
    EXPECT_FALSE(type_from_text(text)) << text;
  }
  EXPECT_FALSE(class_from_text("TYPE1"));
  EXPECT_FALSE(class_from_text("CLASS70000"));
  EXPECT_FALSE(rcode_from_text("RCODE4096"));
  EXPECT_FALSE(opcode_from_text("OPCODE16"));
}

TEST(Types, MetaTypes) {
  for (const Type type : {Type::OPT, Type::TKEY, Type::TSIG, Type::IXFR, Type::AXFR, Type::MAILB, Type::MAILA,
                          Type::ANY, Type::NXNAME, static_cast<Type>(200), static_cast<Type>(0)}) {
    EXPECT_TRUE(is_meta_type(type)) << to_text(type);
  }
  for (const Type type : {Type::A, Type::EUI64, static_cast<Type>(127), Type::URI, Type::CAA, Type::TA,
                          static_cast<Type>(65280)}) {
    EXPECT_FALSE(is_meta_type(type)) << to_text(type);
  }
  EXPECT_TRUE(is_meta_class(Class::ANY));
  EXPECT_TRUE(is_meta_class(Class::NONE));
  EXPECT_TRUE(is_meta_class(static_cast<Class>(0)));
  EXPECT_FALSE(is_meta_class(Class::IN));
  EXPECT_FALSE(is_meta_class(Class::CH));
}

}  // namespace
}  // namespace swarmdns::dns
