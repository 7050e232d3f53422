import assert from 'node:assert/strict';
import test from 'node:test';
import { AgentChatError, ForbiddenError, GroupDeletedError, NotFoundError, ValidationError } from 'agentchatme';
import { failure, name, newAgent, png } from './setup.mjs';

// join invites and accepts.
async function join(admin, group, ...others) {
  for (const other of others) {
    const { outcome, invite_id: invite } = await admin.client.addGroupMember(group, other.handle);
    assert.equal(outcome, 'invited');
    await other.client.acceptGroupInvite(invite);
  }
}

test('create, invite, accept, talk', async () => {
  const [a, b, c] = [await newAgent(), await newAgent(), await newAgent()];
  const { group, add_results: results } = await a.client.createGroup({
    name: ' The Room ', description: 'for all', member_handles: [`@${b.handle}`, b.handle, name(), a.handle], settings: { who_can_invite: 'admin' },
  });
  assert.match(group.id, /^grp_/);
  assert.deepEqual([group.name, group.description, group.created_by, group.member_count, group.your_role], ['The Room', 'for all', a.handle, 1, 'admin']);
  assert.deepEqual(results.map((r) => [r.handle, r.outcome]), [[b.handle, 'invited']]);
  const [invite] = await b.client.listGroupInvites();
  assert.deepEqual([invite.id, invite.group_id, invite.group_name, invite.group_member_count, invite.inviter_handle], [results[0].invite_id, group.id, 'The Room', 1, a.handle]);
  await a.client.sendMessage({ conversation_id: group.id, content: { text: 'before b' } });
  const joined = await b.client.acceptGroupInvite(invite.id);
  assert.deepEqual(joined.members.map((m) => [m.handle, m.role]), [[a.handle, 'admin'], [b.handle, 'member']]);
  const { message } = await a.client.sendMessage({ conversation_id: group.id, content: { text: `welcome @${b.handle}` } });
  assert.deepEqual(message.context?.mentions ?? [b.handle], [b.handle]);
  const rows = await b.client.sync();
  assert.deepEqual(rows.map((r) => [r.type, r.content.text ?? r.content.data.event]), [['system', 'member_joined'], ['text', `welcome @${b.handle}`]]);
  assert.equal(rows[0].content.data.agent_handle, b.handle);
  assert.deepEqual((await b.client.getMessages(group.id)).map((m) => m.seq), [rows[1].seq, rows[0].seq]);
  const again = await a.client.addGroupMember(group.id, b.handle);
  assert.deepEqual([again.outcome, again.invite_id], ['already_member', undefined]);
  assert.ok((await failure(b.client.addGroupMember(group.id, c.handle))) instanceof ForbiddenError);
  assert.ok((await failure(c.client.getGroup(group.id))) instanceof NotFoundError);
  const room = (await b.client.listConversations())[0];
  assert.deepEqual([room.id, room.type, room.group_name, room.group_member_count, room.participants], [group.id, 'group', 'The Room', 2, []]);
  assert.deepEqual((await b.client.getConversationParticipants(group.id)).map((p) => p.handle), [a.handle, b.handle]);
  assert.equal((await b.client.getConversationContext(group.id)).group.your_role, 'member');
});

test('rejecting an invitation', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  const { add_results: [{ invite_id: invite }] } = await a.client.createGroup({ name: 'x', member_handles: [b.handle] });
  await b.client.rejectGroupInvite(invite);
  assert.deepEqual(await b.client.listGroupInvites(), []);
  assert.equal((await failure(b.client.acceptGroupInvite(invite))).code, 'INVITE_NOT_FOUND');
});

test('roles, removal, succession', async () => {
  const [a, b, c] = [await newAgent(), await newAgent(), await newAgent()];
  const { group } = await a.client.createGroup({ name: 'roles' });
  await join(a, group.id, b, c);
  await a.client.promoteGroupMember(group.id, b.handle);
  await a.client.promoteGroupMember(group.id, `@${b.handle}`);
  assert.ok((await failure(b.client.demoteGroupMember(group.id, a.handle))) instanceof ForbiddenError);
  assert.equal((await failure(b.client.demoteGroupMember(group.id, c.handle))).code, 'NOT_ADMIN');
  await a.client.demoteGroupMember(group.id, b.handle);
  assert.ok((await failure(b.client.removeGroupMember(group.id, c.handle))) instanceof ForbiddenError);
  await a.client.removeGroupMember(group.id, c.handle);
  assert.equal((await failure(a.client.removeGroupMember(group.id, c.handle))).code, 'NOT_MEMBER');
  assert.ok((await failure(a.client.removeGroupMember(group.id, a.handle))) instanceof ValidationError);
  assert.ok((await failure(c.client.getGroup(group.id))) instanceof NotFoundError);
  const left = await a.client.leaveGroup(group.id);
  assert.equal(left.promoted_handle, b.handle);
  assert.equal((await b.client.getGroup(group.id)).your_role, 'admin');
  const events = (await b.client.getMessages(group.id)).map((m) => m.content.data.event);
  assert.deepEqual(events.slice(0, 3), ['admin_promoted', 'member_left', 'member_removed']);
});

test('changing a group', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  const { group } = await a.client.createGroup({ name: 'old' });
  await join(a, group.id, b);
  const updated = await a.client.updateGroup(group.id, { name: 'new', description: 'about', avatar_url: 'https://example.org/a.png' });
  assert.deepEqual([updated.name, updated.description, updated.avatar_url], ['new', 'about', 'https://example.org/a.png']);
  const { avatar_key: key, avatar_url: address } = await a.client.setGroupAvatar(group.id, png(128, 128));
  assert.match(key, /^g\/[0-9a-f]{16}\/[0-9a-f]{32}\./);
  assert.equal((await b.client.getGroup(group.id)).avatar_url, address);
  await a.client.removeGroupAvatar(group.id);
  assert.ok((await failure(a.client.removeGroupAvatar(group.id))) instanceof NotFoundError);
  assert.ok((await failure(b.client.updateGroup(group.id, { name: 'mine' }))) instanceof ForbiddenError);
  const events = (await b.client.getMessages(group.id)).map((m) => m.content.data.event).reverse();
  assert.deepEqual(events, ['member_joined', 'name_changed', 'description_changed', 'avatar_changed', 'avatar_changed', 'avatar_changed']);
});

test('deleting a group', async () => {
  const [a, b, c] = [await newAgent(), await newAgent(), await newAgent()];
  const { group } = await a.client.createGroup({ name: 'short-lived' });
  await join(a, group.id, b);
  assert.ok((await failure(b.client.deleteGroup(group.id))) instanceof ForbiddenError);
  const { deleted_at: at } = await a.client.deleteGroup(group.id);
  for (const call of [() => b.client.getGroup(group.id), () => b.client.getMessages(group.id), () => a.client.deleteGroup(group.id),
    () => b.client.sendMessage({ conversation_id: group.id, content: { text: 'x' } })]) {
    const gone = await failure(call());
    assert.ok(gone instanceof GroupDeletedError, gone.code);
    assert.deepEqual([gone.groupId, gone.deletedByHandle, gone.deletedAt], [group.id, a.handle, at]);
  }
  assert.ok((await failure(c.client.getGroup(group.id))) instanceof NotFoundError);
  const rows = await b.client.sync();
  assert.deepEqual(rows.map((r) => r.content.data.event), ['group_deleted']);
});

test('invite policy', async () => {
  const [a, b] = [await newAgent(), await newAgent()];
  await b.client.updateAgent(b.handle, { settings: { group_invite_policy: 'contacts_only' } });
  const { group } = await a.client.createGroup({ name: 'x' });
  const refused = await failure(a.client.addGroupMember(group.id, b.handle));
  assert.ok(refused instanceof AgentChatError);
  assert.equal(refused.code, 'INBOX_RESTRICTED');
  await b.client.addContact(a.handle);
  assert.equal((await a.client.addGroupMember(group.id, b.handle)).outcome, 'invited');
});
