import assert from "node:assert/strict";
import test from "node:test";
import { emptyIds, readIds } from "../../../web/staff/files/ids.ts";

test("the table of ids is read back, by comma, semicolon or tab, and a line without an id is left out", () => {
  const empty = emptyIds([{ kind: "indicator", code: "messages", name: "Messages" }, { kind: "place", code: "0a1b", name: 'Dongguan, "North"' }]);
  assert.deepEqual(readIds(empty), { data_elements: {}, org_units: {}, faults: [] });
  const filled = empty.replace("Messages,", "Messages,aBcdefghi01").replace('North""",', 'North""",Zyxwvutsr98');
  const ids = { data_elements: { messages: "aBcdefghi01" }, org_units: { "0a1b": "Zyxwvutsr98" }, faults: [] };
  assert.deepEqual(readIds(filled), ids);
  assert.deepEqual(readIds("indicator;messages;Messages;aBcdefghi01\r\nplace;0a1b;x;Zyxwvutsr98\r\n"), ids);
  assert.deepEqual(readIds("indicator\tmessages\tMessages\taBcdefghi01\nplace\t0a1b\tx\tZyxwvutsr98"), ids);
});

test("an id of another form is named by its line", () => {
  assert.deepEqual(readIds("kind,code,name,dhis2_id\nindicator,messages,Messages,1234\nother,x,y,aBcdefghi01\nrubbish").faults, [2, 3, 4]);
});
