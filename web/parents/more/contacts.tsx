// Who can reach the child, and whom the watch can call.
import { useState } from "preact/hooks";
import type { ContactResponse, HomeChild } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { Banner, Button, Field, Form, Problem, Send, Sheet, Skeleton, Switch, Top } from "../../shared/ui/parts.tsx";
import { t } from "../../shared/words.ts";
import { home } from "../home/state.ts";
import { readContacts } from "../people.ts";
import { useRead } from "../read.ts";

export type Relation = ContactResponse["relation"];
const RELATIONS: Relation[] = [
  "mother", "father", "grandmother", "grandfather", "sister", "brother", "aunt", "uncle", "teacher", "neighbour", "friend", "other",
];

export function Contacts({ child }: { child: HomeChild }) {
  const { child_id, name } = child.child;
  const path = { child_id };
  const { value, problem, change } = useRead(() => readContacts(child_id), [child_id]);
  const [isAdding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<ContactResponse | null>(null);
  const [atHome, setAtHome] = useState<ContactResponse | null>(null);
  const livesElsewhere = (one: ContactResponse): void => {
    const of = { ...path, contact_id: one.contact_id };
    void change(() => ask("DELETE /v1/children/{child_id}/contacts/{contact_id}/lives-with-child", { path: of }));
  };
  const isOnTheWay = !!value && !!child.child.watch && value.version > value.acked_version;
  const remove = (one: ContactResponse): void => {
    const of = { ...path, contact_id: one.contact_id };
    void change(() => ask("DELETE /v1/children/{child_id}/contacts/{contact_id}", { path: of })).then(() => setLeaving(null));
  };
  const approve = (one: ContactResponse): void => {
    const of = { ...path, contact_id: one.contact_id };
    void change(() => ask("POST /v1/children/{child_id}/contacts/{contact_id}/approve", { path: of }));
  };
  return (
    <main class="screen">
      <Top title={t("contacts.title")} />
      {isOnTheWay && <Banner icon="way">{t("watch.change_on_way")}</Banner>}
      {problem && <Problem>{problem}</Problem>}
      {!value && !problem && <Skeleton />}
      <ul class="rows">
        {value?.contacts.map((one) => (
          <li key={one.contact_id} class="row acts">
            <span>
              <b>{one.name}</b>
              <small>{t(`relation.${one.relation}`)}{one.number ? ` · ${one.number}` : ""}</small>
              {one.emergency && <small>{t("contacts.emergency")}</small>}
              {one.lives_with_child && <small>{t("contacts.lives_is", { name })}</small>}
              {one.state === "proposed" && <small>{t("contacts.proposed")}</small>}
            </span>
            {one.state === "proposed" && child.may_manage && <Button onClick={() => approve(one)}>{t("contacts.approve")}</Button>}
            {one.kind === "phone" && one.state === "approved" && child.may_manage && (
              <Button kind="quiet" onClick={() => (one.lives_with_child ? livesElsewhere(one) : setAtHome(one))}>{one.lives_with_child ? t("contacts.lives_not") : t("contacts.lives")}</Button>
            )}
            {one.kind === "phone" && child.may_manage && <Button kind="quiet" onClick={() => setLeaving(one)}>{t("action.remove")}</Button>}
          </li>
        ))}
      </ul>
      {child.may_manage && !isAdding && <Button kind="act" onClick={() => setAdding(true)}>{t("contacts.add")}</Button>}
      {!child.may_manage && <p class="soft">{t("right.manage_missing")}</p>}
      {isAdding && <NewContact onClose={() => setAdding(false)} onAdd={(body) => change(() => ask("POST /v1/children/{child_id}/contacts", { path, body }))} />}
      {atHome && <AtHome contact={atHome} child={child} change={change} onClose={() => setAtHome(null)} />}
      {leaving && (
        <Sheet title={t("contacts.remove", { name: leaving.name })} onClose={() => setLeaving(null)}>
          <p>{t("contacts.remove_about", { name })}</p>
          <Button onClick={() => setLeaving(null)}>{t("action.no")}</Button>
          <Button kind="bad" onClick={() => remove(leaving)}>{t("action.remove")}</Button>
        </Sheet>
      )}
    </main>
  );
}

type AtHomeProps = { contact: ContactResponse; child: HomeChild; change: (work: () => Promise<unknown>) => Promise<boolean>; onClose: () => void };

/** Whoever lives with the child gets a text message at a call for help; they said yes to somebody, who is noted. */
function AtHome({ contact, child, change, onClose }: AtHomeProps) {
  const [witness, setWitness] = useState(home.value?.me.display_name ?? "");
  const path = { child_id: child.child.child_id, contact_id: contact.contact_id };
  const send = async (): Promise<void> => {
    const body = { agreed: true as const, how: "spoken" as const, witness: witness.trim() };
    await change(() => ask("PUT /v1/children/{child_id}/contacts/{contact_id}/lives-with-child", { path, body }));
    onClose();
  };
  return (
    <Sheet title={t("contacts.lives_title", { who: contact.name, name: child.child.name })} onClose={onClose}>
      <p>{t("contacts.lives_about")}</p>
      <p>{t("contacts.lives_ask", { who: contact.name })}</p>
      <Form onSend={() => void send()}>
        <Field label={t("contacts.lives_witness")} value={witness} onInput={setWitness} autoComplete="off" maxLength={40} />
        <Send disabled={!witness.trim()}>{t("contacts.lives_yes", { who: contact.name })}</Send>
        <Button onClick={onClose}>{t("action.close")}</Button>
      </Form>
    </Sheet>
  );
}

type NewContactBody = { name: string; relation: Relation; number: string; emergency: boolean };

function NewContact({ onAdd, onClose }: { onAdd: (body: NewContactBody) => Promise<boolean>; onClose: () => void }) {
  const [name, setName] = useState("");
  const [number, setNumber] = useState("");
  const [relation, setRelation] = useState<Relation>("grandmother");
  const [emergency, setEmergency] = useState(false);
  const send = async (): Promise<void> => {
    if (await onAdd({ name: name.trim(), relation, number: number.trim(), emergency })) onClose();
  };
  return (
    <div class="card">
      <Form onSend={() => void send()}>
        <Field label={t("contacts.name")} value={name} onInput={setName} autoComplete="off" maxLength={40} />
        <Field label={t("door.phone")} value={number} onInput={setNumber} type="tel" inputMode="tel" autoComplete="off" />
        <RelationField value={relation} onChange={setRelation} />
        <Switch label={t("contacts.emergency")} hint={t("contacts.emergency_hint")} on={emergency} onChange={setEmergency} />
        <Send disabled={!name.trim() || !number.trim()}>{t("contacts.add")}</Send>
        <Button onClick={onClose}>{t("action.close")}</Button>
      </Form>
    </div>
  );
}

export function RelationField({ value, onChange }: { value: Relation; onChange: (value: Relation) => void }) {
  return (
    <div class="field">
      <label for="relation">{t("contacts.relation")}</label>
      <select id="relation" value={value} onChange={(event) => onChange(event.currentTarget.value as Relation)}>
        {RELATIONS.map((one) => <option key={one} value={one}>{t(`relation.${one}`)}</option>)}
      </select>
    </div>
  );
}
