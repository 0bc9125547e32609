// Who belongs to the family, what each may do, and who is invited.
import { useState } from "preact/hooks";
import type { GuardianResponse, MyFamily } from "../../shared/api-types.ts";
import { ask } from "../../shared/api.ts";
import { guardianId } from "../../shared/session.ts";
import { Banner, Button, Field, Form, Problem, Send, Sheet, Skeleton, Switch, Top } from "../../shared/ui/parts.tsx";
import { dateName, t } from "../../shared/words.ts";
import { home } from "../home/state.ts";
import { type Relation, RelationField } from "./contacts.tsx";
import { Contest, Contests } from "./contests.tsx";
import { useRead } from "../read.ts";

const RIGHTS = ["may_message", "may_locate", "may_manage"] as const;

export function Guardians() {
  return (
    <main class="screen">
      <Top title={t("guardians.title")} />
      {home.value?.me.families.map((family) => <OfFamily key={family.family_id} family={family} />)}
    </main>
  );
}

function OfFamily({ family }: { family: MyFamily }) {
  const path = { family_id: family.family_id };
  const { value, problem, change } = useRead(async () => {
    const { guardians } = await ask("GET /v1/families/{family_id}/guardians", { path });
    const invitations = family.may_manage ? (await ask("GET /v1/families/{family_id}/invitations", { path })).invitations : [];
    const { contests } = await ask("GET /v1/families/{family_id}/contests", { path });
    const { changes } = await ask("GET /v1/families/{family_id}/number-changes", { path });
    return { guardians, invitations, contests, changes };
  }, [family.family_id]);
  const [leaving, setLeaving] = useState<GuardianResponse | null>(null);
  const [isInviting, setInviting] = useState(false);
  const set = (one: GuardianResponse, right: (typeof RIGHTS)[number], on: boolean): void => {
    const of = { ...path, guardian_id: one.guardian_id };
    void change(() => ask("PATCH /v1/families/{family_id}/guardians/{guardian_id}", { path: of, body: { [right]: on } }));
  };
  return (
    <>
      {problem && <Problem>{problem}</Problem>}
      {!value && !problem && <Skeleton />}
      {!family.may_manage && <p class="soft">{t("right.manage_missing")}</p>}
      {value?.changes.filter((one) => one.state === "waiting").map((one) => (
        <Banner key={one.change_id} icon="phone">
          {t("number.of", { name: value.guardians.find((each) => each.guardian_id === one.guardian_id)?.display_name || t("person.somebody"), date: dateName(one.due_at) })}
        </Banner>
      ))}
      {value && <Contests family_id={family.family_id} contests={value.contests} guardians={value.guardians} change={change} />}
      {value?.guardians.map((one) => (
        <section class="card stack" key={one.guardian_id} data-testid="guardian">
          <h2>{one.display_name || t("person.somebody")}<small>{t(`relation.${one.relation}`)}{one.is_primary ? ` · ${t("guardians.first")}` : ""}</small></h2>
          {RIGHTS.map((right) => (
            <Switch key={right} label={t(`right.${right}`)} on={one[right]} disabled={!family.may_manage || (one.is_primary && right === "may_manage")} onChange={(on) => set(one, right, on)} />
          ))}
          {one.guardian_id !== guardianId() && <Contest family_id={family.family_id} about={one} change={change} />}
          {!one.is_primary && (family.may_manage || one.guardian_id === guardianId()) && (
            <Button kind="quiet" onClick={() => setLeaving(one)}>{one.guardian_id === guardianId() ? t("guardians.leave") : t("action.remove")}</Button>
          )}
        </section>
      ))}
      {value?.invitations.map((one) => (
        <section class="card" key={one.invitation_id}>
          <p>{t("guardians.invited", { phone: one.phone, date: dateName(one.expires_at) })}</p>
          <Button kind="quiet" onClick={() => void change(() => ask("DELETE /v1/families/{family_id}/invitations/{invitation_id}", { path: { ...path, invitation_id: one.invitation_id } }))}>{t("action.remove")}</Button>
        </section>
      ))}
      {family.may_manage && !isInviting && <Button kind="act" testId="invite" onClick={() => setInviting(true)}>{t("guardians.invite")}</Button>}
      {isInviting && <Invite onClose={() => setInviting(false)} onInvite={(body) => change(() => ask("POST /v1/families/{family_id}/invitations", { path, body }))} />}
      {leaving && (
        <Sheet title={t("guardians.remove", { name: leaving.display_name })} onClose={() => setLeaving(null)}>
          <p>{t("guardians.remove_about")}</p>
          <Button onClick={() => setLeaving(null)}>{t("action.no")}</Button>
          <Button kind="bad" onClick={() => void change(() => ask("DELETE /v1/families/{family_id}/guardians/{guardian_id}", { path: { ...path, guardian_id: leaving.guardian_id } })).then(() => setLeaving(null))}>{t("action.remove")}</Button>
        </Sheet>
      )}
    </>
  );
}

type InviteBody = { phone: string; relation: Relation; display_name: string; may_locate: boolean };

function Invite({ onInvite, onClose }: { onInvite: (body: InviteBody) => Promise<boolean>; onClose: () => void }) {
  const [phone, setPhone] = useState("");
  const [name, setName] = useState("");
  const [relation, setRelation] = useState<Relation>("grandmother");
  const [mayLocate, setMayLocate] = useState(false);
  const [isSent, setSent] = useState(false);
  const send = async (): Promise<void> => {
    if (await onInvite({ phone: phone.trim(), relation, display_name: name.trim(), may_locate: mayLocate })) setSent(true);
  };
  const share = (): void => {
    const text = `${t("guardians.share_text")} ${location.origin}/`;
    if (navigator.share) void navigator.share({ text }).catch(() => undefined);
    else void navigator.clipboard?.writeText(text);
  };
  if (isSent) {
    return (
      <section class="card stack">
        <p role="status">{t("guardians.sent")}</p>
        <Button kind="act" icon="send" onClick={share}>{t("guardians.share")}</Button>
        <Button onClick={onClose}>{t("action.close")}</Button>
      </section>
    );
  }
  return (
    <section class="card">
      <Form onSend={() => void send()}>
        <Field label={t("contacts.name")} value={name} onInput={setName} autoComplete="off" maxLength={40} />
        <Field label={t("door.phone")} value={phone} onInput={setPhone} type="tel" inputMode="tel" autoComplete="off" />
        <RelationField value={relation} onChange={setRelation} />
        <Switch label={t("right.may_locate")} on={mayLocate} onChange={setMayLocate} />
        <Send disabled={!phone.trim()}>{t("guardians.invite")}</Send>
        <Button onClick={onClose}>{t("action.close")}</Button>
      </Form>
    </section>
  );
}
